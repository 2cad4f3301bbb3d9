#pragma once

/*
 * Stall: calls a function when a child that owes an answer makes no progress.
 *
 * A slow file system is not a stall: each call that returns within STALL_LIMIT_USEC starts the
 * limit anew. The first look comes a little after the answer is due and only takes the count: on
 * the way to a file system that hangs are directories of others that do not.
 */

#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/watch/progress.h"

#define STALL_GRACE_USEC (1 * USEC_PER_SEC)

/* Longer than a busy server takes for one call, so that a stall means that it is away: the servers
 * that are known answer within milliseconds, and a call that is repeated after a lost packet within
 * seconds. */
#define STALL_LIMIT_USEC (10 * USEC_PER_SEC)

typedef struct Stall Stall;

/* Each look sets the deadline of the next. */
typedef enum StallEvent {
        STALL_OVERDUE,     /* the first look */
        STALL_PROGRESS,    /* since the last look, but no answer yet */
        STALL_NO_PROGRESS, /* since the last look */
} StallEvent;

typedef void (*stall_fn)(StallEvent event, void *userdata);

/* The times are STALL_GRACE_USEC and STALL_LIMIT_USEC, except in tests. Nothing is due at first. */
int stall_new(Stall **ret, sd_event *event, uint64_t grace_usec, uint64_t limit_usec, stall_fn fn,
        void *userdata);
Stall *stall_free(Stall *stall);
DEFINE_CLEANUP(Stall *, stall_free);

/* An answer is due at `due_usec` (boot time). `progress` must live until the next call of one of
 * these. */
void stall_expect(Stall *stall, const Progress *progress, uint64_t due_usec);
void stall_stop(Stall *stall);

/* Boot time of the next look; USEC_NEVER: nothing is due. */
uint64_t stall_deadline_usec(const Stall *stall);
