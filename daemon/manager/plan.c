#include "daemon/manager/plan.h"

#include <string.h>

static Plan keep(const PlanInput *input, uint64_t now_usec)
{
        if (!input->checked)
                return (Plan){.action = PLAN_KEEP};
        if (now_usec >= input->check_usec)
                return (Plan){.action = PLAN_CHECK};
        return (Plan){.action = PLAN_KEEP, .not_before_usec = input->check_usec};
}

Plan plan_cluster(const PlanInput *input, uint64_t now_usec)
{
        const Record *record = input->record;
        PlanAction action = PLAN_IMPORT;

        if (!input->enabled)
                return (Plan){.action = PLAN_NOTHING};
        if (!input->fingerprint)
                return (Plan){.action = PLAN_WAIT};
        if (input->forced)
                return (Plan){.action = PLAN_IMPORT};
        if (strcmp(record->imported.fingerprint, input->fingerprint) == 0) {
                if (!record->attempt.has_outcome ||
                        record->attempt.outcome != OUTCOME_REPLICATION_FAILED)
                        return keep(input, now_usec);
                action = PLAN_RESTART_REPLICATION;
        }
        /* A back-off belongs to the set that failed: a new one starts at once. */
        if (strcmp(record->attempt.fingerprint, input->fingerprint) == 0 &&
                now_usec < input->retry_usec)
                return (Plan){.action = PLAN_DELAY, .not_before_usec = input->retry_usec};
        return (Plan){.action = action};
}

uint64_t plan_retry_delay_usec(
        const PlanRetry *retry, const Outcome *outcome, unsigned attempts, uint32_t random)
{
        if (outcome_is_success(outcome->kind))
                return 0;
        if (outcome_is_transient(outcome->kind, outcome->sql_error.number))
                return plan_backoff_usec(attempts, retry->min_usec, retry->max_usec, random);
        return retry->held_usec;
}

uint64_t plan_backoff_usec(unsigned attempts, uint64_t min_usec, uint64_t max_usec, uint32_t random)
{
        uint64_t delay = min_usec < max_usec ? min_usec : max_usec;
        uint64_t half;

        if (attempts == 0)
                return 0;
        for (unsigned i = 1; i < attempts && delay > 0 && delay < max_usec; i++)
                delay = delay > max_usec / 2 ? max_usec : delay * 2;
        half = delay / 2;
        return half > 0 ? delay - (uint64_t)random % half : delay;
}
