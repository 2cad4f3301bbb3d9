#include "daemon/cluster/plan.h"

#include <string.h>

#include "common/clock.h"
#include "daemon/model/backoff.h"

/* Between two heals of a cluster. */
#define PLAN_HEAL_PAUSE_USEC (15 * USEC_PER_MIN)

/* Once: if the files were lost, one import mends it, and otherwise none does. A cluster that is
 * held back does not have the set on disk. */
static bool heals(const PlanInput *input)
{
        return !input->held_back && input->fails_with_tls &&
                input->since_heal_usec >= PLAN_HEAL_PAUSE_USEC;
}

static Plan keep(const PlanInput *input, uint64_t now_usec)
{
        if (input->checks && now_usec >= input->check_usec)
                return (Plan){.action = PLAN_CHECK};
        if (heals(input))
                return (Plan){.action = PLAN_HEAL};
        if (!input->checks)
                return (Plan){.action = PLAN_KEEP};
        return (Plan){.action = PLAN_KEEP, .not_before_usec = input->check_usec};
}

static bool needs_restart(const PlanInput *input)
{
        return input->fingerprint && record_needs_restart(input->record, input->fingerprint);
}

/* Replication ran with the set before. With TLS the files may only be lost: if nothing but a check
 * has found it, a heal comes first. */
static bool rolls_back(const PlanInput *input)
{
        const RecordImport *imported = &input->record->imported;
        bool heals_first = input->fingerprint &&
                strcmp(imported->fingerprint, input->fingerprint) == 0 && !needs_restart(input) &&
                heals(input);

        return input->denied && input->can_roll_back && imported->former_fingerprint[0] != '\0' &&
                !heals_first;
}

/* A set that was neither imported nor tried comes first: it may be the repair. */
static bool is_new(const PlanInput *input)
{
        return input->fingerprint && !input->held_back &&
                strcmp(input->record->imported.fingerprint, input->fingerprint) != 0 &&
                strcmp(input->record->attempt.fingerprint, input->fingerprint) != 0;
}

/* Once, unless it could not be recorded, and so not even begun. */
static Plan roll_back(const PlanInput *input, uint64_t now_usec)
{
        if (input->record->attempt.outcome.kind == OUTCOME_RECORD_FAILED &&
                now_usec < input->retry_usec)
                return (Plan){.action = PLAN_DELAY, .not_before_usec = input->retry_usec};
        return (Plan){.action = PLAN_ROLL_BACK};
}

static Plan hold(const PlanInput *input, uint64_t now_usec)
{
        Plan plan = {.action = PLAN_KEEP, .held = true};

        if (input->checks && now_usec >= input->check_usec)
                plan.action = PLAN_CHECK;
        else if (input->checks)
                plan.not_before_usec = input->check_usec;
        return plan;
}

static Plan plan_set(const PlanInput *input, uint64_t now_usec)
{
        const Record *record = input->record;
        PlanAction action = PLAN_IMPORT;

        if (input->fingerprint && input->forced && !input->held_back)
                return (Plan){.action = PLAN_IMPORT};
        if (rolls_back(input) && !is_new(input))
                return roll_back(input, now_usec);
        if (!input->fingerprint)
                return (Plan){.action = PLAN_WAIT};
        if (input->held_back) {
                Plan plan = keep(input, now_usec);

                plan.held_back = true;
                return plan;
        }
        if (record_is_final(input->record, input->fingerprint)) {
                if (!input->lifted)
                        return hold(input, now_usec);
                return (Plan){.action = PLAN_IMPORT};
        }
        if (strcmp(record->imported.fingerprint, input->fingerprint) == 0) {
                if (!needs_restart(input))
                        return keep(input, now_usec);
                action = PLAN_RESTART_REPLICATION;
        }
        /* The back-off is for the set that failed: a new set is imported at once. */
        if (strcmp(record->attempt.fingerprint, input->fingerprint) == 0 &&
                now_usec < input->retry_usec)
                return (Plan){.action = PLAN_DELAY, .not_before_usec = input->retry_usec};
        return (Plan){.action = action};
}

/* Replication that was stopped for an import is started again, whatever became of the set. An
 * import and a restart end with a start. */
static Plan plan_start(const PlanInput *input, Plan set, uint64_t now_usec)
{
        if (set.action == PLAN_IMPORT || set.action == PLAN_RESTART_REPLICATION ||
                set.action == PLAN_HEAL || set.action == PLAN_ROLL_BACK)
                return set;
        if (now_usec >= input->start_usec)
                return (Plan){.action = needs_restart(input) ? PLAN_RESTART_REPLICATION
                                                             : PLAN_START_REPLICATION};
        if (set.action == PLAN_DELAY && set.not_before_usec <= input->start_usec)
                return set;
        return (Plan){.action = PLAN_DELAY,
                .not_before_usec = input->start_usec,
                .transient = set.action != PLAN_DELAY && !set.held};
}

/* Until the end of the process, at which the cluster is planned again. */
static Plan plan_stuck(Plan plan)
{
        switch (plan.action) {
        case PLAN_CHECK:
        case PLAN_HEAL:
                return (Plan){.action = PLAN_KEEP, .held_back = plan.held_back, .held = plan.held};
        case PLAN_IMPORT:
        case PLAN_RESTART_REPLICATION:
        case PLAN_START_REPLICATION:
        case PLAN_ROLL_BACK:
        case PLAN_DELAY:
                return (Plan){.action = PLAN_DELAY,
                        .not_before_usec = USEC_NEVER,
                        .transient = plan.transient || plan.action != PLAN_DELAY};
        case PLAN_NOTHING:
        case PLAN_WAIT:
        case PLAN_KEEP:
        case PLAN_RUNS:
        case PLAN_REMOVE:
        case _PLAN_ACTION_MAX:
                break;
        }
        return plan;
}

Plan plan_cluster(const PlanInput *input, uint64_t now_usec)
{
        Plan set;

        if (input->importing)
                return (Plan){.action = PLAN_RUNS};
        if (input->removal && !input->stuck)
                return (Plan){.action = PLAN_REMOVE};
        if (!input->enabled)
                return (Plan){.action = PLAN_NOTHING};
        set = plan_set(input, now_usec);
        if (record_is_stopped(input->record))
                set = plan_start(input, set, now_usec);
        return input->stuck ? plan_stuck(set) : set;
}

bool plan_starts(PlanAction action)
{
        switch (action) {
        case PLAN_CHECK:
        case PLAN_IMPORT:
        case PLAN_RESTART_REPLICATION:
        case PLAN_START_REPLICATION:
        case PLAN_ROLL_BACK:
        case PLAN_HEAL:
        case PLAN_REMOVE:
                return true;
        case PLAN_NOTHING:
        case PLAN_RUNS:
        case PLAN_WAIT:
        case PLAN_KEEP:
        case PLAN_DELAY:
        case _PLAN_ACTION_MAX:
                break;
        }
        return false;
}

uint64_t plan_since_usec(uint64_t at_usec, uint64_t now_usec)
{
        return at_usec == 0 || at_usec > now_usec ? USEC_NEVER : now_usec - at_usec;
}

ClusterState plan_state(const Plan *plan, const Record *record)
{
        switch (plan->action) {
        case PLAN_NOTHING:
        case PLAN_REMOVE:
                return CLUSTER_DISABLED;
        case PLAN_KEEP:
        case PLAN_CHECK:
                return plan->held_back ? CLUSTER_WAITING
                        : plan->held   ? CLUSTER_HELD
                                       : CLUSTER_CURRENT;
        case PLAN_RUNS:
        case PLAN_IMPORT:
        case PLAN_RESTART_REPLICATION:
        case PLAN_START_REPLICATION:
        case PLAN_ROLL_BACK:
        case PLAN_HEAL:
                return CLUSTER_IMPORTING;
        case PLAN_DELAY:
                return plan->transient ||
                                outcome_is_transient(record->attempt.outcome.kind,
                                        record->attempt.outcome.sql_errno)
                        ? CLUSTER_RETRYING
                        : CLUSTER_HELD;
        case PLAN_WAIT:
        case _PLAN_ACTION_MAX:
                break;
        }
        return CLUSTER_WAITING;
}

uint64_t plan_retry_delay_usec(
        const PlanRetry *retry, const Outcome *outcome, unsigned failures, uint32_t random)
{
        if (outcome_is_success(outcome->kind))
                return 0;
        if (outcome_is_transient(outcome->kind, outcome->sql_errno))
                return backoff_usec(failures, retry->min_usec, retry->max_usec, random);
        return outcome_is_retried(outcome->kind) ? retry->held_usec : USEC_NEVER;
}

uint64_t plan_check_delay_usec(uint64_t interval_usec, uint32_t random)
{
        uint64_t spread = interval_usec / 5;

        return interval_usec - spread / 2 + (spread > 0 ? random % spread : 0);
}
