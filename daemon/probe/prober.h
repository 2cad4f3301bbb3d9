#pragma once

/*
 * Prober: the life of the process that finds out what an import into one cluster would meet.
 *
 * It logs in exactly as an import does and asks; it has no payload, calls no procedure and changes
 * nothing on the server beyond its own session. After the login that is a round trip for each of:
 * role and logs, the procedures, two for the ledger if there is one, and replication unless it is
 * ignored.
 *
 * The server's certificate is then looked at on a second connection, after the first has ended and
 * to the same address, with one round trip behind its greeting (daemon/tls/tls-probe.h): when the login went
 * well, when TLS is what failed, and when the login was refused inside TLS. It is not looked at when
 * there was no answer or no time is left for it. A failing TLS is so counted twice by the server.
 */

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

typedef struct ProberTask {
        const ClusterConfig *cluster;
        Newlines newlines; /* the form that worked before; AUTO: not known */
        uint64_t timeout_usec;
} ProberTask;

/* Always 0: what went wrong is a finding. */
int prober_run(Probe *ret, const ProberTask *task);
