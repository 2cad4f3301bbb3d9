#pragma once

/*
 * Wait condition: decides whether the set on disk is imported into every cluster and replication
 * does not fail with it, and whether waiting can still achieve that. Pure: the status and the time
 * are arguments.
 *
 * The command `wait` is for deploy hooks, which run when the files were just written and the
 * service may not have detected them. So a bad state at the start is tolerated for a grace period,
 * because it may belong to the previous set; a bad state that begins later is not. A state that
 * can change by itself is waited for; any other ends the wait.
 */

#include "ctl/client/status-info.h"

/* The grace is longer for paths that the service polls, by default every 30 s. */
#define WAIT_CONDITION_GRACE_USEC      (5 * UINT64_C(1000000))
#define WAIT_CONDITION_GRACE_POLL_USEC (35 * UINT64_C(1000000))

/* How long a bad state must last: files may be written one by one, and the event of a cluster comes
 * after that of its material. */
#define WAIT_CONDITION_LASTING_USEC (2 * UINT64_C(1000000))

/* Without a digest the previous set cannot be told from the new one. Then every cluster must be
 * current for as long as the service usually needs to detect a change. */
#define WAIT_CONDITION_STEADY_USEC UINT64_C(1000000)

/* Times are boot time: the wall clock may step meanwhile. */
typedef struct WaitTarget {
        char digest[REPORT_FINGERPRINT_MAX]; /* of the certificate that must be on disk; "": any */
        uint64_t start_usec, deadline_usec;
        bool ignores_replication;
} WaitTarget;

typedef enum WaitAnswer {
        WAIT_NOT_YET,
        WAIT_YES,
        WAIT_NO, /* and waiting cannot change that */
} WaitAnswer;

typedef struct WaitResult {
        WaitAnswer answer;
        size_t n_concerned, n_current; /* clusters as wait_condition_includes() counts them */
        size_t n_failing;              /* of the current ones: their replication fails */
        const char *importing;         /* the name of a cluster with a running import; or NULL */
} WaitResult;

WaitResult wait_condition_evaluate(
        const WaitTarget *target, const StatusInfo *info, uint64_t now_usec, uint64_t wall_usec);

/* The answer for one cluster that is current: WAIT_NO if its replication fails, unless the service
 * does not look at it. */
WaitAnswer wait_condition_replication(const ClusterInfo *cluster, uint64_t wall_usec);

/* Returns true if the material has the certificate of the target. */
bool wait_condition_concerns(const WaitTarget *target, const MaterialInfo *material);

/* Returns true if the cluster is enabled and the target concerns its material. */
bool wait_condition_includes(
        const WaitTarget *target, const StatusInfo *info, const ClusterInfo *cluster);
