#pragma once

/*
 * Replication stop: stops replication before an import, so that its I/O thread reconnects with the
 * new material afterwards (doc/aurora.md, "After the import").
 *
 * What a person has stopped is left as it is (daemon/model/replication-duty.h). Before anything is
 * stopped the manager has recorded it, and with a ledger its row says so, too.
 */

#include <stdbool.h>

#include "daemon/import/attempt.h"
#include "daemon/model/replication-duty.h"

/* Reads the status into the outcome. Returns what an import is to do with the replica. A stop on
 * record, or in the ledger, that somebody has ended by a start is over. */
ReplicationDuty replication_stop_read(
        Attempt *attempt, SessionResult *ret_result, SessionError *ret_error);

/* Stops a replica that is this program's to restart. Returns false if nothing may be imported; the
 * outcome says why. `ret_start`: replication is stopped and has to be started, in both cases. A
 * thread that has not ended in time ends later, whatever is started meanwhile: the stop stays on
 * record, for the next attempt. */
bool replication_stop_run(Attempt *attempt, bool *ret_start);

/* The same for a replica of which the outcome has the status: it runs, or tries to. */
bool replication_stop_again(Attempt *attempt, bool *ret_start);
