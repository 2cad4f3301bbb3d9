#pragma once

/*
 * Replication state: what the status of a replica means to a person: a word for it, the reason and
 * the next step where something is wrong. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config/config.h"
#include "daemon/model/replication.h"

typedef enum ReplicationState {
        REPLICATION_STATE_UNKNOWN, /* not read, or the server does not report both threads */
        REPLICATION_STATE_NOT_CONFIGURED,
        REPLICATION_STATE_RUNNING,
        REPLICATION_STATE_CONNECTING,    /* without an error yet */
        REPLICATION_STATE_STOPPED,       /* a thread, by a person: it has no error of its own */
        REPLICATION_STATE_STOPPED_BY_US, /* for an import, and not started again yet */
        REPLICATION_STATE_FAILING,       /* a thread has an error and does not run */
        _REPLICATION_STATE_MAX,
} ReplicationState;

const char *replication_state_to_string(ReplicationState state);

/* A replica of which both threads are stopped, the SQL thread without an error, was stopped by a
 * person, also if its I/O thread has failed before. */
ReplicationState replication_state(const Replication *replication);

/* Write "", and return "", if nothing is wrong or the stop is this program's, which the record
 * describes. */
void replication_state_reason(char *buffer, size_t size, const Replication *replication);

/* `mode` as configured: with repoint the start alone would go on with the files of before. */
const char *replication_state_next_step(const Replication *replication, ReplicationMode mode);
