#pragma once

/*
 * Removal: removes the client material that an import has brought into a cluster.
 */

#include "daemon/import/import-task.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* After the same preflight as an import and under the lock of the ledger; no payload.
 * OUTCOME_REMOVED also if there was none. With `replication` other than ignore it then reads the
 * replica's status: replication that runs over TLS keeps its connection and cannot make another
 * one, which the outcome's warning says. `deadline_usec` is boot time. */
void removal_run(Outcome *ret, Session *session, const ImportTask *task, uint64_t deadline_usec);
