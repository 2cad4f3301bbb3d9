#include "daemon/cluster/cluster-start.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/cluster/cluster-private.h"

/* A check only reads the ledger and the replica status: it needs less time than an import. */
#define CLUSTER_CHECK_MAX_USEC (15 * USEC_PER_SEC)

static ImportAction import_action(PlanAction action)
{
        switch (action) {
        case PLAN_RESTART_REPLICATION:
                return IMPORT_ACTION_RESTART_REPLICATION;
        case PLAN_START_REPLICATION:
                return IMPORT_ACTION_START_REPLICATION;
        case PLAN_CHECK:
                return IMPORT_ACTION_CHECK;
        default:
                return IMPORT_ACTION_IMPORT;
        }
}

/* Regardless of the ledger, which names another set or has a newer row. */
static bool is_forced(const Cluster *cluster, PlanAction action)
{
        return cluster->forced || action == PLAN_HEAL || action == PLAN_ROLL_BACK ||
                (cluster->lifted &&
                        cluster->facts.record.attempt.outcome.kind == OUTCOME_ROLLED_BACK);
}

/* Before the CALL: a daemon that is killed in it leaves a cluster whose set nobody knows. */
static int begin_roll_back(Cluster *cluster, const SetInfo *former)
{
        ClusterFacts *facts = &cluster->facts;
        Outcome outcome = {.kind = OUTCOME_RECORD_FAILED};
        int r;

        r = cluster_facts_begin_roll_back(facts, former);
        if (r == 0)
                r = record_writer_write(cluster->writer);
        if (r == 0)
                return 0;
        cluster_facts_cancel_roll_back(facts);
        text_format(outcome.text, sizeof(outcome.text),
                "replication fails with set %.12s, which is not taken back, because that cannot be "
                "recorded: %s",
                facts->record.imported.fingerprint, strerror(-r));
        cluster_history_add(facts, PLAN_ROLL_BACK, cluster->trigger, former->fingerprint, &outcome);
        cluster_finish(cluster, cluster_facts_refuse_roll_back(facts, &outcome), &outcome);
        return r;
}

static int run(Cluster *cluster, PlanAction action, const ImportTask *task)
{
        int r;

        cluster->running = action;
        cluster->commanded = false;
        r = cluster_process_start(cluster->process, task);
        cluster->facts.status.deadline_usec = cluster_process_deadline_usec(cluster->process);
        return r;
}

/* A daemon that ends after this finds in the record that the material may be gone. */
static int write_removal_down(Cluster *cluster)
{
        Record *record = &cluster->facts.record;
        Outcome outcome = {.kind = OUTCOME_RECORD_FAILED};
        int r;

        if (record_is_removing(record))
                return 0;
        record_begin_removal(record, clock_wall_usec());
        r = record_writer_write(cluster->writer);
        if (r == 0)
                return 0;
        text_format(outcome.text, sizeof(outcome.text),
                "nothing is removed, because the removal cannot be recorded: %s", strerror(-r));
        text_set(outcome.next_step, sizeof(outcome.next_step),
                "make the state directory writable, or free space there");
        cluster_end_removal(cluster, &outcome);
        return r;
}

static int start_removal(Cluster *cluster)
{
        ImportTask task = {
                .action = IMPORT_ACTION_REMOVE,
                .cluster = cluster->facts.config,
                .payload_fd = -1,
                .timeout_usec = cluster->facts.daemon->import_timeout_usec,
        };
        int r = write_removal_down(cluster); /* once more for another server than at the request */

        return r < 0 ? r : run(cluster, PLAN_REMOVE, &task);
}

int cluster_start(Cluster *cluster, PlanAction action, SealedSet *set)
{
        ImportTask task = {
                .action = import_action(action),
                .cluster = cluster->facts.config,
                .payload_fd = -1,
                .newlines = cluster->facts.record.newlines,
                .forced = is_forced(cluster, action),
                .stop = cluster->facts.record.stop,
                .timeout_usec = cluster->facts.daemon->import_timeout_usec,
        };
        int r;

        if (action == PLAN_REMOVE)
                return start_removal(cluster);
        if (action == PLAN_ROLL_BACK)
                set = cluster->kept.former;
        if (set) {
                task.set = set->info;
                task.payload_fd = set->payload_fd;
        }
        if (action == PLAN_CHECK) {
                if (task.timeout_usec > CLUSTER_CHECK_MAX_USEC)
                        task.timeout_usec = CLUSTER_CHECK_MAX_USEC;
                return cluster_process_start(cluster->process, &task);
        }
        cluster->trigger = cluster_history_trigger(
                &cluster->facts, action, sealed_set_fingerprint(set), cluster->commanded);
        if (action == PLAN_ROLL_BACK) {
                r = begin_roll_back(cluster, &task.set);
                if (r < 0)
                        return r;
        } else if (action != PLAN_START_REPLICATION) {
                cluster_facts_begin_import(&cluster->facts);
                cluster->forced = cluster->lifted = false;
        }
        cluster->sent = sealed_set_ref(set);
        if (action == PLAN_HEAL) {
                cluster_report_all(cluster, cluster_facts_begin_heal(&cluster->facts), NULL);
                /* Now, so that another start of the daemon does not heal again; an error is
                 * reported, and harmless. */
                (void)record_writer_write(cluster->writer);
        }
        cluster_set_state(cluster, CLUSTER_IMPORTING);
        return run(cluster, action, &task);
}

bool cluster_can_remove(const Cluster *cluster)
{
        return cluster->facts.status.removing ||
                (!cluster_is_importing(cluster) && !cluster_process_is_stuck(cluster->process));
}

void cluster_remove(Cluster *cluster)
{
        if (cluster->facts.status.removing)
                return;
        cluster->facts.status.removing = true;
        if (write_removal_down(cluster) == 0)
                cluster_report(cluster, CLUSTER_EVENT_STATE, NULL);
}
