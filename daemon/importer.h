#pragma once

/*
 * Importer: the life of the process that brings one sealed payload into one cluster.
 *
 * Reads the password afresh, maps the payload, opens a session, runs the procedure. Everything it
 * held is gone with its process.
 */

#include "daemon/config.h"
#include "daemon/outcome.h"
#include "daemon/session.h"

typedef struct ImporterTask {
        const ClusterConfig *cluster;
        int payload_fd; /* sealed */
        Newlines newlines;
        bool reconnect_only;
        uint64_t timeout_usec;
} ImporterTask;

/* The first half of it, for whoever only wants to look: the password and the session. False: there
 * is none, and `outcome` says why. A login is given a little less than `timeout_usec`: to say "timed
 * out" is better than to be killed. */
bool importer_log_in(
        Session **ret, Outcome *outcome, const ClusterConfig *cluster, uint64_t timeout_usec);

/* 0, or a negative errno when nothing could be tried. */
int importer_run(Outcome *ret, const ImporterTask *task);
