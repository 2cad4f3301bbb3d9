#pragma once

/*
 * Procedure: the conversation that brings one payload into one cluster, over an open session:
 * look at the server, the ledger's lock and word, stop replication if it is to be restarted, the
 * CALL, the ledger again, start replication, look at what came of it. Every end of it is an Outcome.
 *
 * Replication that was stopped here is started again whatever happens in between.
 */

#include "daemon/config/config.h"
#include "daemon/import/call.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/ledger.h"
#include "daemon/mysql/session.h"

typedef struct Import {
        const ClusterConfig *cluster;
        bool restart_only; /* the set is imported already: only restart replication */
        bool forced;       /* whatever the ledger says */
        SetInfo set;
        CallPayload payload;
        uint64_t deadline_usec; /* boot time */
} Import;

void import_run(Outcome *ret, Session *session, const Import *task);

/* Without a payload: what the ledger and replication say. OUTCOME_ALREADY_CURRENT when all that was
 * asked was answered, whatever the answer is. */
void import_check(Outcome *ret, Session *session, const ClusterConfig *cluster);
