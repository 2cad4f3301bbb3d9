#pragma once

/*
 * Plan: decide what one cluster needs next.
 *
 * Pure. What stands on disk, the record and the clock come in as values and the decision goes out
 * as one, so every rule can be tested without a file, a timer or a server.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/model/record.h"

typedef enum PlanAction {
        PLAN_NOTHING, /* disabled */
        PLAN_WAIT,    /* there is no set to import */
        PLAN_KEEP,   /* the cluster carries the set; until Plan.not_before_usec, if that is not 0 */
        PLAN_CHECK,  /* now: it carries the set as far as is known, and is to be asked again */
        PLAN_IMPORT, /* now */
        PLAN_RESTART_REPLICATION, /* now: the set is imported, only replication has to be restarted */
        PLAN_DELAY,               /* at Plan.not_before_usec, unless something changes */
        _PLAN_ACTION_MAX,
} PlanAction;

typedef struct Plan {
        PlanAction action;
        uint64_t not_before_usec; /* boot time; PLAN_DELAY and PLAN_KEEP */
} Plan;

typedef struct PlanInput {
        bool enabled;
        const char *fingerprint; /* the valid set on disk; NULL: there is none */
        const Record *record;
        uint64_t retry_usec; /* boot time before which the attempted set is not tried again */
        bool forced;         /* an operator wants it imported, whatever the record says */
        bool checked;        /* there is something to ask a current cluster for, */
        uint64_t check_usec; /* at this boot time */
} PlanInput;

Plan plan_cluster(const PlanInput *input, uint64_t now_usec);

typedef struct PlanRetry {
        uint64_t min_usec, max_usec, held_usec;
} PlanRetry;

/* How long to wait after a failure; `attempts` counts it. */
uint64_t plan_retry_delay_usec(
        const PlanRetry *retry, const Outcome *outcome, unsigned attempts, uint32_t random);

/*
 * The delay before the next attempt: doubles from `min_usec` to `max_usec`, then keeps to it.
 *
 * Jitter takes up to half of the delay away, so that two hundred clusters that failed together do
 * not come back together, and so that the promise "at least every max_usec" holds. Pure: the
 * randomness is an argument.
 */

/* `attempts` counts the failures so far, 1 after the first one; 0 is no delay at all. */
uint64_t plan_backoff_usec(
        unsigned attempts, uint64_t min_usec, uint64_t max_usec, uint32_t random);
