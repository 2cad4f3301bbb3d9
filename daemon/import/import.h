#pragma once

/*
 * Import: imports one payload into one cluster over an open session, in this order: preflight, lock
 * and read the ledger, stop replication, CALL, complete the ledger's row, start replication, read
 * its status. Ledger and replication are optional. Every result is an Outcome.
 *
 * Replication that was stopped here is started again, also if the CALL fails. Before the stop the
 * manager has recorded it.
 */

#include "daemon/import/call.h"
#include "daemon/import/import-task.h"
#include "daemon/import/stop-note.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* `deadline_usec` is boot time. `payload` is NULL without a set, which only
 * IMPORT_ACTION_START_REPLICATION allows. */
void import_run(Outcome *ret, Session *session, const ImportTask *task, const CallPayload *payload,
        const StopNote *note, uint64_t deadline_usec);

/* Reads ledger and replication, without a CALL. OUTCOME_ALREADY_CURRENT if both could be read,
 * regardless of the values read. */
void import_check(Outcome *ret, Session *session, const ImportTask *task);

/* With source-probe: asks the replication source whether it accepts the set of the payload. Returns
 * true if an import may go on, possibly with a warning; otherwise the outcome says why not. */
bool import_probe_source(Outcome *ret, Session *session, const ClusterConfig *cluster,
        const CallPayload *payload, uint64_t deadline_usec);
