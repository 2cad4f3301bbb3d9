#pragma once

/*
 * Replication duty: decides whether an import stops and starts a replica.
 *
 * Pure. Only what this program has stopped does it start: after a cutover a start would apply the
 * writes of the former source. A replica with a thread that a person has stopped, or that waits for
 * a person's decision, is left as it is (doc/design.md, "Replication").
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/model/record.h"
#include "daemon/model/replication.h"

typedef enum ReplicationDuty {
        REPLICATION_DUTY_NONE,  /* nothing to restart, or not this program's to start */
        REPLICATION_DUTY_START, /* it is stopped, by this program */
        REPLICATION_DUTY_STOP,  /* stop it, then start it */
        _REPLICATION_DUTY_MAX,
} ReplicationDuty;

/* Returns true if a thread is stopped because of this stop (at_usec 0: there is none). If the
 * replica has executed further than that stop it was started since, and what is stopped now was
 * stopped by somebody else. */
bool replication_is_stopped_by(
        const Replication *replication, const ReplicationSource *source, const RecordStop *stop);

/* `stop` is the one on record. */
ReplicationDuty replication_duty(
        const Replication *replication, const ReplicationSource *source, const RecordStop *stop);

/* Describes a replica with a halt that is left as it is; "" for one without. */
void replication_halt_reason(char *buffer, size_t size, const Replication *replication);
