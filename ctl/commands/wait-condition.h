#pragma once

/*
 * Judgement: whether every cluster carries what is on disk, and whether it still can come to that.
 * Pure: the daemon's view and the time are arguments.
 *
 * It serves a deploy hook, which runs when the files were just written and the service may not
 * have seen them. So what is bad at the start is forgiven for a grace; what becomes bad later is
 * not. A state that mends itself is waited for, one that does not ends the wait.
 */

#include "ctl/client/status-info.h"

/* For paths that the service polls, by default every 30 s, the grace is longer. */
#define WAIT_CONDITION_GRACE_USEC      (5 * UINT64_C(1000000))
#define WAIT_CONDITION_GRACE_POLL_USEC (35 * UINT64_C(1000000))

/* How long a bad state must last: files may come one by one, and a cluster's word after theirs. */
#define WAIT_CONDITION_LASTING_USEC (2 * UINT64_C(1000000))

/* Without a digest nothing tells the old set from the new one; then all has to be current for as
 * long as the service usually takes to see a change. */
#define WAIT_CONDITION_STEADY_USEC UINT64_C(1000000)

/* Times are wall clock. */
typedef struct WaitTarget {
        char digest[REPORT_FINGERPRINT_MAX]; /* of the certificate that must be on disk; or "" */
        uint64_t start_at_usec, deadline_at_usec;
} WaitTarget;

typedef enum WaitAnswer {
        WAIT_NOT_YET,
        WAIT_YES,
        WAIT_NO, /* waiting does not help */
} WaitAnswer;

typedef struct WaitResult {
        WaitAnswer answer;
        size_t n_concerned, n_current; /* enabled clusters of the materials concerned */
        const char *importing;         /* the name of one that is being imported; or NULL */
} WaitResult;

WaitResult wait_condition_evaluate(
        const WaitTarget *target, const StatusInfo *info, uint64_t now_usec);

/* The material has the certificate that is expected. */
bool wait_condition_concerns(const WaitTarget *target, const MaterialInfo *material);
