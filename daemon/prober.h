#pragma once

/*
 * Prober: the life of the process that finds out what an import into one cluster would meet.
 *
 * It logs in exactly as an import does and asks; it has no payload, calls no procedure and changes
 * nothing on the server beyond its own session. After the login that is a round trip for each of:
 * role and logs, the certificate's end, the procedures, and replication unless it is ignored.
 */

#include "daemon/config.h"
#include "daemon/probe.h"

typedef struct ProberTask {
        const ClusterConfig *cluster;
        Newlines newlines; /* the form that worked before; AUTO: not known */
        uint64_t timeout_usec;
} ProberTask;

/* Always 0: what went wrong is a finding. */
int prober_run(Probe *ret, const ProberTask *task);

/* The wall-clock time that the server's status variable Ssl_server_not_after names, such as
 * "Feb  1 12:00:00 2027 GMT"; 0 when it is none. */
uint64_t prober_parse_time(const char *text);
