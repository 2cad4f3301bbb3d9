#pragma once

/*
 * Importer: the life of the process that brings one sealed payload into one cluster.
 *
 * Reads the password afresh, maps the payload, opens a session, runs the procedure. Everything it
 * held is gone with its process.
 */

#include "daemon/config.h"
#include "daemon/outcome.h"

typedef struct ImporterTask {
        const ClusterConfig *cluster;
        int payload_fd; /* sealed */
        Newlines newlines;
        bool reconnect_only;
        uint64_t timeout_usec;
} ImporterTask;

/* 0, or a negative errno when nothing could be tried. */
int importer_run(Outcome *ret, const ImporterTask *task);
