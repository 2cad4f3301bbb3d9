#pragma once

/*
 * Plan: decides the next action for one cluster.
 *
 * Pure: the set on disk, the record, the clock and the randomness are arguments and the decision is
 * the return value, so each rule can be tested without a file, a timer or a server.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/model/record.h"
#include "daemon/model/status.h"

typedef enum PlanAction {
        PLAN_NOTHING, /* the cluster is disabled */
        PLAN_RUNS,    /* an import runs; its end is the time of the next plan */
        PLAN_WAIT,    /* there is no set to import */
        PLAN_KEEP,    /* the set is imported or held back; until Plan.not_before_usec, if not 0 */
        PLAN_CHECK,   /* now: the same, and a check is due */
        PLAN_IMPORT,  /* now */
        PLAN_RESTART_REPLICATION, /* now: the set is imported, replication is not restarted yet */
        PLAN_START_REPLICATION,   /* now: replication is stopped because of an import */
        PLAN_ROLL_BACK,           /* now: import the former set again, since replication fails */
        PLAN_HEAL,   /* now: import the imported set again, since replication fails with TLS */
        PLAN_REMOVE, /* now: the client material is to be removed */
        PLAN_DELAY,  /* at Plan.not_before_usec, unless something changes */
        _PLAN_ACTION_MAX,
} PlanAction;

typedef struct Plan {
        PlanAction action;
        uint64_t not_before_usec; /* boot time; PLAN_DELAY and PLAN_KEEP */
        bool held_back; /* PLAN_KEEP and PLAN_CHECK: the cluster keeps the set that it has */
        bool transient; /* PLAN_DELAY for another reason than the last attempt with the set */
        bool held; /* PLAN_KEEP and PLAN_CHECK: not because the set is imported, but because only an
                      operator lets it be tried again */
} Plan;

typedef struct PlanInput {
        bool enabled;
        bool stuck; /* nothing can be started: a process of the cluster cannot be ended yet */
        bool importing;
        bool removal;            /* a removal of the client material was requested */
        const char *fingerprint; /* the valid set on disk; NULL: there is none */
        const Record *record;
        uint64_t retry_usec; /* boot time before which the attempted set is not tried again */
        uint64_t start_usec; /* boot time before which replication is not started again */
        bool held_back;      /* the wave of the set has not reached the cluster */
        bool forced;         /* import the set even if the record already names it */
        bool lifted; /* an operator has asked for the set, whose outcome is not retried by itself */
        bool checks; /* a current cluster is checked, */
        uint64_t check_usec; /* at this boot time */
        bool denied; /* a check or a restart has found that replication fails, with the imported set,
                        because of TLS or a refused account; */
        bool fails_with_tls; /* of these, TLS */
        bool can_roll_back;  /* it is configured, and the record's former set can be imported */
        uint64_t since_heal_usec; /* wall clock: plan_since_usec() */
} PlanInput;

Plan plan_cluster(const PlanInput *input, uint64_t now_usec);

/* Returns true if a process is to be started now. */
bool plan_starts(PlanAction action);

/* Returns the time since `at_usec`, both wall clock; USEC_NEVER if that is 0, which is never, or in
 * the future: the clock was set back, and nothing is known of the time between. */
uint64_t plan_since_usec(uint64_t at_usec, uint64_t now_usec);

/* Returns the state that a cluster has while this plan is in force. */
ClusterState plan_state(const Plan *plan, const Record *record);

typedef struct PlanRetry {
        uint64_t min_usec, max_usec, held_usec;
} PlanRetry;

/* Returns the delay before the next attempt with the same set, 0 after a success, USEC_NEVER if
 * there is none by itself. `failures` counts the failures in a row since the back-off was last
 * reset, `outcome` included. */
uint64_t plan_retry_delay_usec(
        const PlanRetry *retry, const Outcome *outcome, unsigned failures, uint32_t random);

/* Returns the delay before the next check: `interval_usec` plus or minus at most a tenth, so that
 * the checks of many clusters spread over time. */
uint64_t plan_check_delay_usec(uint64_t interval_usec, uint32_t random);
