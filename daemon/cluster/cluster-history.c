#include "daemon/cluster/cluster-history.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/model/replication-state.h"

static HistoryAction action_of(PlanAction action)
{
        switch (action) {
        case PLAN_RESTART_REPLICATION:
                return HISTORY_RESTART;
        case PLAN_START_REPLICATION:
                return HISTORY_START;
        case PLAN_ROLL_BACK:
                return HISTORY_ROLLBACK;
        case PLAN_REMOVE:
                return HISTORY_REMOVE;
        case PLAN_CHECK:
                return HISTORY_CHECK;
        default:
                return HISTORY_IMPORT;
        }
}

HistoryTrigger cluster_history_trigger(
        const ClusterFacts *facts, PlanAction action, const char *fingerprint, bool commanded)
{
        const RecordAttempt *attempt = &facts->record.attempt;

        if (action == PLAN_HEAL)
                return HISTORY_FINDING;
        if (action == PLAN_ROLL_BACK)
                return attempt->outcome.known && attempt->outcome.kind == OUTCOME_REPLICATION_FAILED
                        ? HISTORY_AFTER_IMPORT
                        : HISTORY_FINDING;
        if (commanded || action == PLAN_REMOVE)
                return HISTORY_COMMAND;
        if (action != PLAN_IMPORT)
                return HISTORY_RETRY;
        if (strcmp(attempt->fingerprint, fingerprint) != 0)
                return HISTORY_ROTATION;
        return kept_outcome_failed(&attempt->outcome) ? HISTORY_RETRY : HISTORY_FINDING;
}

void cluster_history_add(ClusterFacts *facts, PlanAction action, HistoryTrigger trigger,
        const char *fingerprint, const Outcome *outcome)
{
        HistoryEntry entry = {
                .action = action_of(action),
                .trigger = trigger,
                .outcome = outcome->kind,
                .sql_errno = outcome->sql_errno,
                .text = outcome_is_success(outcome->kind) ? "" : outcome->text,
                .at_usec = clock_wall_usec(),
                .duration_usec = outcome->duration_usec,
        };

        text_set(entry.fingerprint, sizeof(entry.fingerprint), fingerprint);
        history_add(&facts->record.history, &entry);
}

/* A check that could ask everything has passed, whatever it has found. */
static void describe_finding(HistoryEntry *entry, char *text, size_t size,
        const Replication *replication, const ClusterChange *change)
{
        ReplicationState state = replication_state(replication);

        if (state == REPLICATION_STATE_FAILING || state == REPLICATION_STATE_STOPPED) {
                replication_state_reason(text, size, replication);
                entry->outcome = OUTCOME_REPLICATION_FAILED;
                if (state == REPLICATION_STATE_FAILING)
                        entry->sql_errno = replication->io_errno ? replication->io_errno
                                                                 : replication->sql_errno;
        } else if (change->events & (1U << CLUSTER_EVENT_SERVER))
                text_set(text, size, "another server answers, which may not have the set");
        else if (change->events & (1U << CLUSTER_EVENT_DRIFT))
                text_set(text, size, "the ledger names another set");
}

bool cluster_history_add_check(
        ClusterFacts *facts, const Outcome *outcome, const ClusterChange *change)
{
        char text[HISTORY_TEXT_MAX];
        HistoryEntry entry = {
                .action = HISTORY_CHECK,
                .outcome = outcome->kind,
                .sql_errno = outcome->sql_errno,
                .text = text,
                .at_usec = clock_wall_usec(),
                .duration_usec = outcome->duration_usec,
        };

        text_set(text, sizeof(text), outcome->text);
        text_set(entry.fingerprint, sizeof(entry.fingerprint), facts->record.imported.fingerprint);
        if (outcome->kind == OUTCOME_ALREADY_CURRENT)
                describe_finding(&entry, text, sizeof(text), &facts->replication, change);
        if (entry.sql_errno > UINT16_MAX)
                entry.sql_errno = 0;
        return history_add_check(&facts->record.history, &entry);
}
