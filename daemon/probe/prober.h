#pragma once

/*
 * Prober: the process that reads the facts of one cluster which decide whether an import succeeds.
 *
 * The login is the same as that of an import. The prober calls no procedure, sends the cluster
 * nothing of a set, and changes nothing on the server beyond its own session. After the login it
 * needs the round trips of the preflight, one for the procedures, three for a configured ledger,
 * and one for replication unless that is ignored.
 *
 * Of the set on disk, if there is one, it takes the size of the call. With source-probe it then
 * logs in to the replication source with that set, as an import would.
 */

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

typedef struct ProberTask {
        const ClusterConfig *cluster;
        int payload_fd;          /* of the set on disk, sealed; -1: none, and `reason` says why */
        const char *fingerprint; /* of that set */
        const char *reason;
        Newlines newlines; /* the form in the record; AUTO: unknown */
        uint64_t timeout_usec;
} ProberTask;

/* Always 0: every error is a finding. */
int prober_run(Probe *ret, const ProberTask *task);
