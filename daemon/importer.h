#pragma once

/*
 * Importer: the life of the process that brings one sealed payload into one cluster.
 *
 * Reads the password afresh, maps the payload, opens a session, runs the procedure. Everything it
 * held is gone with its process. What the server said goes to the manager only after whatever it
 * repeats of password and key was covered, for it is logged, recorded and shown there.
 */

#include "common/mask.h"
#include "daemon/config.h"
#include "daemon/ledger.h"
#include "daemon/outcome.h"
#include "daemon/session.h"

typedef enum ImporterErrand {
        IMPORTER_IMPORT,
        IMPORTER_RECONNECT, /* the set is imported: only restart replication */
        IMPORTER_CHECK,     /* look at ledger and replication; changes nothing */
        _IMPORTER_ERRAND_MAX,
} ImporterErrand;

typedef struct ImporterTask {
        ImporterErrand errand;
        const ClusterConfig *cluster;
        int payload_fd; /* sealed; a check wants it only to know what to cover */
        LedgerSet set;
        Newlines newlines;
        bool forced; /* whatever the ledger says */
        uint64_t timeout_usec;
} ImporterTask;

/* When a conversation that began at `start_usec` has to end: a little before the timeout, for to say
 * "timed out" is better than to be killed. */
uint64_t importer_deadline_usec(uint64_t start_usec, uint64_t timeout_usec);

/* The first half of it, for whoever only wants to look: the password and the session. False: there
 * is none, and `outcome` says why. When the server refuses the password, it is read again at once, once,
 * and the login is repeated if it has changed meanwhile, or came out of a command. `password` covers from here on what a server repeats of it. */
bool importer_log_in(Session **ret, Outcome *outcome, const ClusterConfig *cluster,
        uint64_t deadline_usec, Mask *password);

/* 0, or a negative errno when nothing could be tried. */
int importer_run(Outcome *ret, const ImporterTask *task);
