#pragma once

/*
 * Replication restart: stops replication before an import and starts it after, so that its I/O
 * thread reconnects with the new material (doc/aurora.md, "After the import").
 */

#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* Stops a replica unless both its threads are stopped already. Returns false on error, which is
 * then the outcome. */
bool replication_restart_stop(Outcome *ret, Session *session, bool *ret_configured);

/* Starts replication. After a successful import also waits until it runs; otherwise that is the
 * outcome. The outcome of a failed import is left as it is. */
void replication_restart_start(Outcome *ret, Session *session, uint64_t deadline_usec);

/* Starts a replica whose threads are both stopped, because an importer that stopped it may have
 * died before it started it again. */
void replication_restart_recover(Outcome *ret, Session *session, uint64_t deadline_usec);
