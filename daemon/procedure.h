#pragma once

/*
 * Procedure: the conversation that brings one payload into one cluster, over an open session:
 * look at the server, stop replication if it is to be restarted, the CALL, start it again, look
 * at what came of it. Every end of it is an Outcome.
 *
 * Replication that was stopped here is started again whatever happens in between.
 */

#include "daemon/config.h"
#include "daemon/outcome.h"
#include "daemon/session.h"

typedef struct ProcedureTask {
        const ClusterConfig *cluster;
        Newlines newlines;   /* the form that worked before; AUTO: not known */
        bool reconnect_only; /* the set is imported already: only restart replication */
        const char *payload; /* the strict form */
        size_t payload_size;
        uint64_t deadline_usec; /* boot time */
} ProcedureTask;

void procedure_run(Outcome *ret, Session *session, const ProcedureTask *task);

/* How a fault of a session reads as an outcome; `sent` as session_call() says it. */
void procedure_take_fault(Outcome *ret, SessionFault fault, const SessionError *error, bool sent);
