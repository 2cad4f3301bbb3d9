#pragma once

/*
 * Restart: replication is stopped before an import and started after it, so that its I/O thread
 * connects anew and reads the new material (notes/aurora.md, 3).
 */

#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* Stops a replica that does something. False: it could not, and `ret` says why. */
bool replication_restart_stop(Outcome *ret, Session *session, bool *ret_configured);

/* Starts it, and where the outcome is a success waits until it runs; when it does not, that is the
 * outcome. An import that failed stays the news, but what was stopped runs again. */
void replication_restart_start(Outcome *ret, Session *session, uint64_t deadline_usec);

/* Starts a replica that does nothing, for whoever stopped it may have died on the way. */
void replication_restart_recover(Outcome *ret, Session *session, uint64_t deadline_usec);
