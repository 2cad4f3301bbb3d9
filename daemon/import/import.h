#pragma once

/*
 * Import: imports one payload into one cluster over an open session, in this order: preflight, lock
 * and read the ledger, stop replication, CALL, complete the ledger's row, start replication, read
 * its status. Ledger and replication are optional. Every result is an Outcome.
 *
 * Replication that was stopped here is started again, also if the CALL fails.
 */

#include "daemon/config/config.h"
#include "daemon/import/call.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/ledger.h"
#include "daemon/mysql/session.h"

typedef struct Import {
        const ClusterConfig *cluster;
        bool restart_only; /* the set is imported already */
        bool forced;       /* regardless of the ledger */
        SetInfo set;
        CallPayload payload;
        uint64_t deadline_usec; /* boot time */
} Import;

void import_run(Outcome *ret, Session *session, const Import *import);

/* Reads ledger and replication, without a CALL. OUTCOME_ALREADY_CURRENT if both could be read,
 * regardless of the values read. */
void import_check(Outcome *ret, Session *session, const ClusterConfig *cluster);
