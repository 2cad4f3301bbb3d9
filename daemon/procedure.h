#pragma once

/*
 * Procedure: the conversation that brings one payload into one cluster, over an open session:
 * look at the server, the ledger's lock and word, stop replication if it is to be restarted, the
 * CALL, the ledger again, start replication, look at what came of it. Every end of it is an Outcome.
 *
 * Replication that was stopped here is started again whatever happens in between.
 */

#include "daemon/config.h"
#include "daemon/ledger.h"
#include "daemon/outcome.h"
#include "daemon/session.h"

typedef struct ProcedureTask {
        const ClusterConfig *cluster;
        Newlines newlines;   /* the form that worked before; AUTO: not known */
        bool reconnect_only; /* the set is imported already: only restart replication */
        bool forced;         /* whatever the ledger says */
        LedgerSet set;
        const char *payload; /* the strict form */
        size_t payload_size;
        uint64_t deadline_usec; /* boot time */
} ProcedureTask;

void procedure_run(Outcome *ret, Session *session, const ProcedureTask *task);

/* Without a payload: what the ledger and replication say. OUTCOME_ALREADY_CURRENT when all that was
 * asked was answered, whatever the answer is. */
void procedure_check(Outcome *ret, Session *session, const ClusterConfig *cluster);
