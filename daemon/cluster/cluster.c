#include "daemon/cluster/cluster.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/cluster/cluster-private.h"
#include "daemon/cluster/wave.h"
#include "daemon/record/record-writer.h"

/* The longest delay of a record while other imports run. */
#define CLUSTER_RECORD_DELAY_USEC (500 * USEC_PER_MSEC)

void cluster_report(Cluster *cluster, ClusterEvent event, const Outcome *outcome)
{
        cluster->owner->changed(cluster, event, outcome, cluster->owner->userdata);
}

static bool has_outcome(ClusterEvent event)
{
        return event != CLUSTER_EVENT_STATE && event != CLUSTER_EVENT_STOPPED &&
                event != CLUSTER_EVENT_STARTED && event != CLUSTER_EVENT_HEAL;
}

void cluster_report_all(Cluster *cluster, ClusterChange change, const Outcome *outcome)
{
        for (ClusterEvent event = 0; event < CLUSTER_EVENT_END; event++)
                if (change.events & (1U << event))
                        cluster_report(cluster, event, has_outcome(event) ? outcome : NULL);
}

void cluster_finish(Cluster *cluster, ClusterChange change, const Outcome *outcome)
{
        cluster_report_all(cluster, change, outcome);
        if (change.recorded)
                record_writer_schedule(cluster->writer);
        cluster_report(cluster, CLUSTER_EVENT_END, outcome);
}

void cluster_set_state(Cluster *cluster, ClusterState state)
{
        ClusterStatus *status = &cluster->facts.status;

        if (status->state == state)
                return;
        status->state = state;
        status->since_usec = clock_boottime_usec();
        cluster_report(cluster, CLUSTER_EVENT_STATE, NULL);
}

static void on_recorded(int error, void *userdata)
{
        Cluster *cluster = userdata;

        cluster->facts.status.record_error = error;
        cluster_report(cluster, CLUSTER_EVENT_RECORD, NULL);
}

static void on_released(void *userdata)
{
        cluster_report(userdata, CLUSTER_EVENT_END, NULL);
}

void cluster_end_removal(Cluster *cluster, const Outcome *outcome)
{
        ClusterFacts *facts = &cluster->facts;
        char removed[REPORT_FINGERPRINT_MAX];
        ClusterChange change;

        text_set(removed, sizeof(removed), facts->record.imported.fingerprint);
        change = cluster_facts_apply_removal(facts, outcome, cluster->moved);
        cluster_history_add(facts, PLAN_REMOVE, HISTORY_COMMAND, removed, outcome);
        cluster->moved = false;
        facts->status.deadline_usec = 0;
        if (record_writer_write(cluster->writer) == 0)
                change.recorded = false;
        cluster_finish(cluster, change, outcome);
}

static void on_imported(const Outcome *outcome, void *userdata)
{
        Cluster *cluster = userdata;
        ClusterFacts *facts = &cluster->facts;
        static const SetInfo none = {0};
        const SetInfo *set = cluster->sent ? &cluster->sent->info : &none;
        PlanAction action = cluster->running;
        Outcome taken_back = *outcome;
        bool elsewhere = cluster->moved;
        ClusterChange change = {0};

        if (action == PLAN_REMOVE) {
                cluster_end_removal(cluster, outcome);
                return;
        }
        facts->status.deadline_usec = 0;
        cluster->moved = false;
        if (action == PLAN_ROLL_BACK) {
                change = cluster_facts_apply_roll_back(facts, &taken_back, elsewhere);
                outcome = &taken_back;
        } else if (action != PLAN_START_REPLICATION)
                change = cluster_facts_apply_attempt(facts, set, outcome, elsewhere);
        else if (!elsewhere)
                change = cluster_facts_apply_start(facts, outcome);
        cluster_history_add(facts, action, cluster->trigger,
                action == PLAN_START_REPLICATION ? "" : set->fingerprint, outcome);
        (void)cluster_facts_update_sync(facts, cluster->planned);
        change.recorded = true;
        cluster_finish(cluster, change, outcome);
}

static void on_checked(const Outcome *outcome, void *userdata)
{
        Cluster *cluster = userdata;
        ClusterChange change = cluster_facts_apply_check(&cluster->facts, outcome);

        change.recorded |= cluster_history_add_check(&cluster->facts, outcome, &change);
        cluster_finish(cluster, change, outcome);
}

/* The importer stops replication only after this has succeeded. That the stop is completed needs no
 * write of its own: without it the coordinates before the stop are on disk. */
static int on_stop(const RecordStop *stop, void *userdata)
{
        Cluster *cluster = userdata;
        ClusterFacts *facts = &cluster->facts;
        RecordStop before = facts->record.stop;
        int r;

        if (cluster->moved)
                return -ESTALE; /* the record is one of another server */
        if (stop->completed) {
                cluster_facts_complete_stop(facts, stop);
                record_writer_schedule(cluster->writer);
                return 0;
        }
        cluster_facts_begin_stop(facts, stop);
        r = record_writer_write(cluster->writer);
        if (r < 0)
                facts->record.stop = before;
        else
                cluster_facts_forget_replication(facts);
        return r;
}

int cluster_new(Cluster **ret, ClusterOwner *owner, Config *daemon, const ClusterConfig *config,
        Record *record)
{
        CLEANUP(cluster_freep) Cluster *cluster = slab_allocate(&owner->memory, sizeof(*cluster));
        const ClusterProcessHandlers handlers = {
                on_imported, on_checked, on_stop, on_released, cluster};
        int r;

        if (!cluster)
                return -ENOMEM;
        cluster->owner = owner;
        text_set(cluster->name, sizeof(cluster->name), config->name);
        cluster_facts_init(&cluster->facts, daemon, config, record);
        r = cluster_process_new(&cluster->process, owner->event, &owner->counts, &handlers);
        if (r == 0)
                r = record_writer_new(&cluster->writer, owner->event, cluster->name,
                        &cluster->facts.record, CLUSTER_RECORD_DELAY_USEC,
                        &owner->counts.n_unwritten, on_recorded, cluster);
        if (r < 0)
                return r;
        *ret = TAKE(cluster);
        return 0;
}

Cluster *cluster_free(Cluster *cluster)
{
        if (!cluster)
                return NULL;
        cluster_process_free(cluster->process);
        record_writer_free(cluster->writer);
        sealed_set_unref(cluster->sent);
        kept_sets_done(&cluster->kept);
        cluster_facts_done(&cluster->facts);
        slab_release(cluster);
        return NULL;
}

void cluster_configure(Cluster *cluster, Config *daemon, const ClusterConfig *config)
{
        bool forgotten;

        if (cluster_facts_configure(&cluster->facts, daemon, config, &forgotten)) {
                cluster->moved = cluster_is_importing(cluster);
                record_writer_schedule(cluster->writer);
        }
        if (forgotten)
                cluster_process_end_check(cluster->process);
}

const ClusterStatus *cluster_status(const Cluster *cluster)
{
        return &cluster->facts.status;
}

bool cluster_is_importing(const Cluster *cluster)
{
        return cluster_process_is_importing(cluster->process);
}

static bool is_removing(const Cluster *cluster)
{
        return cluster_is_importing(cluster) && cluster->running == PLAN_REMOVE;
}

bool cluster_is_importing_into(const Cluster *cluster, const char *host, unsigned port)
{
        return cluster_process_is_importing_into(cluster->process, host, port);
}

bool cluster_is_checking(const Cluster *cluster)
{
        return cluster_process_is_checking(cluster->process);
}

/* A stop that a daemon before has left. */
static void report_stop(Cluster *cluster)
{
        ClusterChange change = {0};

        if (!cluster_is_importing(cluster))
                cluster_facts_report_stop(&cluster->facts, &change);
        cluster_report_all(cluster, change, NULL);
}

/* The canary of a wave is checked more often; with --once there is no next check. */
static uint64_t next_check_usec(const ClusterFacts *facts, const WaveStatus *wave)
{
        uint64_t check_usec = facts->due.check_usec, wave_usec;

        if (!wave || wave->check_delay_usec == 0 || facts->daemon->once ||
                strcmp(wave->canary, facts->config->name) != 0)
                return check_usec;
        wave_usec = facts->due.checked_usec + wave->check_delay_usec;
        return wave_usec < check_usec ? wave_usec : check_usec;
}

/* What has expired connects no more. */
static bool is_usable(const SealedSet *set)
{
        return set && set->info.not_after_usec > clock_wall_usec();
}

/* The sets that a roll back may need; none unless it is configured. */
static void update_kept(Cluster *cluster, SealedSet *set)
{
        const RecordImport *imported = &cluster->facts.record.imported;
        Tristate *roll_back = &cluster->facts.status.roll_back;
        bool former = imported->former_fingerprint[0] != '\0';
        KeptSets *kept = &cluster->kept;

        if (cluster_is_importing(cluster))
                return;
        if (cluster->facts.config->on_replication_failure == REPLICATION_FAILURE_ROLLBACK) {
                kept_sets_update(kept, imported->fingerprint, imported->former_fingerprint, set,
                        cluster->sent);
                *roll_back = is_usable(former ? kept->former : kept->imported) ? TRISTATE_YES
                                                                               : TRISTATE_NO;
        } else {
                kept_sets_done(kept);
                *roll_back = TRISTATE_UNKNOWN;
        }
        cluster->sent = sealed_set_unref(cluster->sent);
}

void cluster_adopt_set(Cluster *cluster, const SetInfo *set)
{
        if (record_adopt_set(&cluster->facts.record, set))
                record_writer_schedule(cluster->writer);
}

Plan cluster_plan(Cluster *cluster, SealedSet *set, const WaveStatus *wave, uint64_t now_usec)
{
        const char *fingerprint = set ? set->info.fingerprint : NULL;
        ClusterFacts *facts = &cluster->facts;
        const ClusterConfig *config = facts->config;
        PlanInput input = {
                .enabled = config->enabled,
                /* A cluster that was enabled meanwhile gets its import after the removal. */
                .importing =
                        cluster_is_importing(cluster) && (config->enabled || !is_removing(cluster)),
                .removal = facts->status.removing,
                .stuck = cluster_process_is_stuck(cluster->process) || is_removing(cluster),
                .fingerprint = fingerprint,
                .held_back = set && wave_holds_back(wave, &facts->status, set->info.fingerprint),
                .record = &facts->record,
                .retry_usec = facts->due.retry_usec,
                .checks = config->replication != REPLICATION_IGNORE || config->ledger[0] != '\0',
                .check_usec = next_check_usec(facts, wave),
                .start_usec = facts->due.start_usec,
                .denied = facts->denied,
                .fails_with_tls = facts->denied && replication_fails_with_tls(&facts->replication),
                .since_heal_usec = plan_since_usec(facts->record.healed_at_usec, clock_wall_usec()),
        };
        Plan plan;

        if (set)
                cluster_adopt_set(cluster, &set->info);
        update_kept(cluster, set);
        if (strcmp(cluster->planned, sealed_set_fingerprint(set)) != 0) {
                text_set(cluster->planned, sizeof(cluster->planned), sealed_set_fingerprint(set));
                cluster->forced = cluster->lifted = cluster->commanded = false;
        }
        input.forced = cluster->forced;
        input.lifted = cluster->lifted;
        input.can_roll_back = is_usable(cluster->kept.former);
        plan = plan_cluster(&input, now_usec);
        cluster->commanded = cluster->commanded && plan_starts(plan.action);
        /* An import writes the record at its end. */
        if (cluster_facts_update_sync(facts, cluster->planned) && plan.action != PLAN_IMPORT &&
                plan.action != PLAN_RUNS)
                record_writer_schedule(cluster->writer);
        facts->status.next_attempt_usec = 0;
        facts->status.check.due = plan.action == PLAN_CHECK;
        if (plan.action == PLAN_DELAY && plan.not_before_usec != USEC_NEVER)
                facts->status.next_attempt_usec = plan.not_before_usec;
        cluster_set_state(cluster, plan_state(&plan, &facts->record));
        report_stop(cluster);
        return plan;
}

void cluster_end_check(Cluster *cluster)
{
        cluster_process_end_check(cluster->process);
}

void cluster_abort_import(Cluster *cluster)
{
        Outcome outcome = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

        text_format(outcome.text, sizeof(outcome.text),
                "the service was stopped before the %s ended",
                is_removing(cluster) ? "removal" : "import");
        cluster_process_abort_import(cluster->process, &outcome);
}

void cluster_set_proof(Cluster *cluster, const RecordProof *proof, const char *fault)
{
        Record *record = &cluster->facts.record;

        if (record_proof_equal(&record->proof, proof))
                return;
        record_set_proof(record, proof, fault);
        record_writer_schedule(cluster->writer);
}

void cluster_release(Cluster *cluster)
{
        Record *record = &cluster->facts.record;

        if (!cluster->facts.config->enabled || cluster->planned[0] == '\0')
                return;
        text_set(record->by_hand, sizeof(record->by_hand), cluster->planned);
        if (record->proof.failed && strcmp(record->proof.fingerprint, cluster->planned) == 0)
                record_set_proof(record, &(RecordProof){0}, "");
        record_writer_schedule(cluster->writer);
}

/* An import that runs already satisfies the request for one, unless it makes no CALL: because of
 * the ledger, or because it only restarts replication. */
static bool is_making_call(const Cluster *cluster)
{
        if (!cluster_is_importing(cluster))
                return false;
        return cluster->running == PLAN_HEAL ||
                (cluster->running == PLAN_IMPORT && cluster->facts.config->ledger[0] == '\0');
}

void cluster_reset_back_off(Cluster *cluster)
{
        due_times_reset(&cluster->facts.due);
        record_writer_retry_now(cluster->writer);
        cluster->facts.due.check_usec = 0;
}

void cluster_retry_now(Cluster *cluster, bool force)
{
        cluster_reset_back_off(cluster);
        cluster->commanded = true;
        if (record_is_final(&cluster->facts.record, cluster->planned))
                cluster->lifted = cluster->planned[0] != '\0';
        if (force && cluster->facts.config->enabled &&
                !cluster_process_is_stuck(cluster->process) && !is_making_call(cluster))
                cluster->forced = cluster->planned[0] != '\0';
}

void cluster_flush(Cluster *cluster)
{
        record_writer_flush(cluster->writer);
}

bool cluster_flush_pending(Cluster *cluster)
{
        return record_writer_flush_pending(cluster->writer);
}

bool cluster_was_warned(const Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        return record_was_warned(&cluster->facts.record, fingerprint, within_usec);
}

void cluster_set_warned(Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        record_set_warned(&cluster->facts.record, fingerprint, within_usec);
        record_writer_schedule(cluster->writer);
}
