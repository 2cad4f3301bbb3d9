#include "daemon/cluster/cluster-facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/cluster/plan.h"
#include "daemon/model/replication-state.h"

#define EVENT(event) (1U << (event))

void cluster_facts_forget_replication(ClusterFacts *facts)
{
        facts->replication = (Replication){0};
        facts->status.read_usec = 0;
        facts->denied = false;
        if (record_is_stopped(&facts->record))
                replication_set_stopped(&facts->replication, facts->record.stop.at_usec);
}

void cluster_facts_init(
        ClusterFacts *facts, Config *daemon, const ClusterConfig *config, Record *record)
{
        *facts = (ClusterFacts){.daemon = config_ref(daemon), .config = config, .record = *record};
        *record = RECORD_NULL;
        record_recover_removal(&facts->record);
        if (config->enabled)
                record_forget_removal(&facts->record);
        (void)record_set_server(&facts->record, config->login.host, config->login.port);
        cluster_facts_forget_replication(facts);
        facts->status = (ClusterStatus){
                .config = config,
                .state = config->enabled ? CLUSTER_WAITING : CLUSTER_DISABLED,
                .since_usec = clock_boottime_usec(),
                .record = &facts->record,
                .replication = &facts->replication,
        };
}

static void end_roll_back(ClusterFacts *facts)
{
        if (facts->roll_back)
                roll_back_done(facts->roll_back);
        free(TAKE(facts->roll_back));
}

void cluster_facts_done(ClusterFacts *facts)
{
        facts->daemon = config_unref(facts->daemon);
        end_roll_back(facts);
        record_done(&facts->record);
        kept_outcome_done(&facts->status.check.failure);
        kept_outcome_done(&facts->status.start.failure);
}

bool cluster_facts_configure(
        ClusterFacts *facts, Config *daemon, const ClusterConfig *config, bool *ret_forgotten)
{
        bool moved = record_set_server(&facts->record, config->login.host, config->login.port);

        *ret_forgotten = moved || facts->config->replication != config->replication ||
                strcmp(facts->config->ledger, config->ledger) != 0;
        config_ref(daemon);
        config_unref(facts->daemon);
        facts->daemon = daemon;
        facts->config = facts->status.config = config;
        if (config->enabled)
                record_forget_removal(&facts->record);
        if (*ret_forgotten) {
                facts->status.check.due = false;
                kept_outcome_done(&facts->status.check.failure);
                cluster_facts_forget_replication(facts);
        }
        if (moved) {
                facts->status.out_of_sync_since_usec = 0;
                due_times_reset(&facts->due);
        }
        return moved;
}

/* An import can end after the configuration was changed. */
static void update_replication(ClusterFacts *facts, const Outcome *outcome)
{
        replication_update(&facts->replication, &outcome->replication,
                record_is_stopped(&facts->record),
                facts->config->replication != REPLICATION_IGNORE);
        if (outcome->replication.known)
                facts->status.read_usec = clock_boottime_usec();
}

/* Replication that an attempt has left stopped is started again, with back-off. `outcome` is
 * that of a start, else NULL. */
static void update_start(ClusterFacts *facts, const Outcome *outcome)
{
        ClusterStart *start = &facts->status.start;

        cluster_start_update(start, record_is_stopped(&facts->record), outcome);
        due_times_after_start(&facts->due, facts->daemon, start->failures);
}

bool cluster_facts_update_sync(ClusterFacts *facts, const char *on_disk)
{
        uint64_t *since = &facts->status.out_of_sync_since_usec;
        uint64_t *recorded = &facts->record.out_of_sync_since_usec;
        uint64_t before = *recorded, now = clock_wall_usec();
        bool known = on_disk[0] != '\0';

        if (!facts->config->enabled ||
                (known && strcmp(on_disk, facts->record.imported.fingerprint) == 0))
                *recorded = 0;
        else if (known && before == 0)
                *recorded = now;
        if (!known || *recorded == 0)
                *since = 0;
        else if (*since == 0)
                /* Less than 0 if it began before this boot: clock_wall_at_usec() makes the same
                 * time of it. */
                *since = clock_boottime_usec() - (*recorded < now ? now - *recorded : 0);
        return *recorded != before;
}

void cluster_facts_report_stop(ClusterFacts *facts, ClusterChange *change)
{
        bool stopped = record_is_stopped(&facts->record);

        if (stopped == facts->stop_reported)
                return;
        facts->stop_reported = stopped;
        change->events |= EVENT(stopped ? CLUSTER_EVENT_STOPPED : CLUSTER_EVENT_STARTED);
}

void cluster_facts_begin_import(ClusterFacts *facts)
{
        facts->running = replication_is_running(&facts->replication);
}

void cluster_facts_begin_stop(ClusterFacts *facts, const RecordStop *stop)
{
        /* After a stop of before, nothing ran. */
        if (!record_is_stopped(&facts->record))
                facts->running = stop->running;
        facts->record.stop = *stop;
}

void cluster_facts_complete_stop(ClusterFacts *facts, const RecordStop *stop)
{
        bool running = facts->record.stop.running;

        facts->record.stop = *stop;
        facts->record.stop.running = running;
}

/* An import or a roll back, which is in the record. */
static void update_after_import(ClusterFacts *facts, const Outcome *outcome)
{
        due_times_after_check(&facts->due, facts->daemon);
        kept_outcome_done(&facts->status.check.failure);
        facts->denied = false;
        update_replication(facts, outcome);
        due_times_after_attempt(
                &facts->due, facts->daemon, outcome, facts->record.attempt.failures);
        update_start(facts, NULL);
}

static bool is_imported(const ClusterFacts *facts, const SetInfo *set)
{
        return strcmp(facts->record.imported.fingerprint, set->fingerprint) == 0;
}

ClusterChange cluster_facts_apply_attempt(
        ClusterFacts *facts, const SetInfo *set, const Outcome *outcome, bool elsewhere)
{
        ClusterChange change = {.events = EVENT(CLUSTER_EVENT_ATTEMPT), .recorded = true};
        RecordImport before = facts->record.imported;
        Outcome applied = *outcome;

        before.warning = NULL; /* the record's */
        if (elsewhere) {
                applied.effect = (ImportEffect){0};
                applied.ledger = (LedgerReading){0};
                applied.replication = (Replication){0};
                applied.server = (ServerInfo){0};
        }
        record_apply(&facts->record, set, &applied, clock_wall_usec());
        facts->status.read_usec = 0; /* what was read before the import proves nothing of it */
        record_keep_former(&facts->record, &before, &applied, facts->running);
        update_after_import(facts, &applied);
        facts->denied = applied.kind == OUTCOME_REPLICATION_FAILED && is_imported(facts, set) &&
                applied.replication.known && replication_is_denied(&facts->replication);
        if (elsewhere)
                due_times_reset(&facts->due);
        cluster_facts_report_stop(facts, &change);
        return change;
}

int cluster_facts_begin_roll_back(ClusterFacts *facts, const SetInfo *former)
{
        end_roll_back(facts);
        facts->roll_back = malloc(sizeof(*facts->roll_back));
        if (!facts->roll_back)
                return -ENOMEM;
        roll_back_begin(
                facts->roll_back, &facts->record, former, &facts->replication, clock_wall_usec());
        return 0;
}

void cluster_facts_cancel_roll_back(ClusterFacts *facts)
{
        if (facts->roll_back)
                roll_back_cancel(facts->roll_back, &facts->record);
        end_roll_back(facts);
}

ClusterChange cluster_facts_apply_roll_back(ClusterFacts *facts, Outcome *outcome, bool elsewhere)
{
        ClusterChange change = {.events = EVENT(CLUSTER_EVENT_ATTEMPT), .recorded = !elsewhere};
        CLEANUP(record_done) Record of_former_server = RECORD_NULL;

        roll_back_end(facts->roll_back, elsewhere ? &of_former_server : &facts->record, outcome,
                clock_wall_usec());
        end_roll_back(facts);
        if (!elsewhere)
                update_after_import(facts, outcome);
        cluster_facts_report_stop(facts, &change);
        return change;
}

ClusterChange cluster_facts_refuse_roll_back(ClusterFacts *facts, const Outcome *outcome)
{
        record_apply_attempt(
                &facts->record, facts->record.imported.fingerprint, outcome, clock_wall_usec());
        due_times_after_attempt(
                &facts->due, facts->daemon, outcome, facts->record.attempt.failures);
        return (ClusterChange){.events = EVENT(CLUSTER_EVENT_ATTEMPT), .recorded = true};
}

ClusterChange cluster_facts_apply_start(ClusterFacts *facts, const Outcome *outcome)
{
        ClusterChange change = {.recorded = record_update_stop(&facts->record, outcome)};

        update_replication(facts, outcome);
        update_start(facts, outcome);
        cluster_facts_report_stop(facts, &change);
        if (record_is_stopped(&facts->record))
                change.events |= EVENT(CLUSTER_EVENT_STOPPED); /* each time: the filter counts */
        return change;
}

ClusterChange cluster_facts_begin_heal(ClusterFacts *facts)
{
        facts->record.healed_at_usec = clock_wall_usec();
        return (ClusterChange){.events = EVENT(CLUSTER_EVENT_HEAL), .recorded = true};
}

static void update_denied(ClusterFacts *facts, const Outcome *outcome, const Replication *before)
{
        if (!outcome->replication.known)
                return;
        replication_compare_errors(&facts->replication, before);
        facts->denied = replication_is_denied(&facts->replication) &&
                plan_since_usec(facts->record.healed_at_usec, clock_wall_usec()) >=
                        REPLICATION_RECONNECT_USEC;
}

/* Returns true if a check finds a problem of replication, another one, or that it has ended. */
static bool is_news(const Replication *before, const Replication *now)
{
        ReplicationState old = replication_state(before), new = replication_state(now);

        return old != new &&
                (old == REPLICATION_STATE_FAILING || new == REPLICATION_STATE_FAILING ||
                        old == REPLICATION_STATE_STOPPED || new == REPLICATION_STATE_STOPPED);
}

/* What a daemon that shares the ledger has stopped and left is this one's to start, as if it were
 * its own. Returns true if there is such a stop. */
static bool adopt_stop(ClusterFacts *facts, const Outcome *outcome)
{
        if (outcome->ledger.stop.at_usec == 0 || record_is_stopped(&facts->record) ||
                !replication_mode_restarts(facts->config->replication))
                return false;
        facts->record.stop = outcome->ledger.stop;
        facts->record.stop.mode = facts->config->replication;
        text_set(facts->record.stop.fingerprint, sizeof(facts->record.stop.fingerprint),
                outcome->ledger.newest.set.fingerprint);
        return true;
}

ClusterChange cluster_facts_apply_check(ClusterFacts *facts, const Outcome *outcome)
{
        bool adopted = adopt_stop(facts, outcome);
        ClusterChange change = {.recorded = adopted};
        Replication before = facts->replication;
        const Replication *now = &facts->replication;

        facts->status.check.due = false;
        due_times_after_check(&facts->due, facts->daemon);
        if (cluster_check_update(&facts->status.check, outcome))
                change.events |= EVENT(CLUSTER_EVENT_CHECK);
        update_replication(facts, outcome);
        update_denied(facts, outcome, &before);
        if (is_news(&before, now))
                change.events |= EVENT(CLUSTER_EVENT_REPLICATION);
        else if (!replication_equal(now, &before))
                change.events |= EVENT(CLUSTER_EVENT_STATE);
        if (record_update_server(&facts->record, outcome)) {
                change.recorded = true;
                if (facts->record.imported.fingerprint[0] == '\0')
                        change.events |= EVENT(CLUSTER_EVENT_SERVER);
        }
        if (adopted) {
                cluster_facts_report_stop(facts, &change);
                update_start(facts, NULL);
        }
        change.recorded |= record_update_proof(&facts->record, outcome);
        if (record_update_from_ledger(&facts->record, outcome)) {
                change.recorded = true;
                change.events |= EVENT(CLUSTER_EVENT_DRIFT);
        }
        return change;
}

ClusterChange cluster_facts_apply_removal(
        ClusterFacts *facts, const Outcome *outcome, bool elsewhere)
{
        ClusterChange change = {.events = EVENT(CLUSTER_EVENT_REMOVAL), .recorded = true};

        facts->status.removing = false;
        if (elsewhere)
                record_note_removal(&facts->record, outcome);
        else {
                record_apply_removal(&facts->record, outcome);
                update_replication(facts, outcome);
                cluster_facts_report_stop(facts, &change);
        }
        due_times_reset(&facts->due);
        return change;
}
