#pragma once

/*
 * Replication restart: stops replication before an import and starts it after, so that its I/O
 * thread reconnects with the new material (doc/aurora.md, "After the import").
 */

#include "daemon/import/import-task.h"
#include "daemon/import/stop-note.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* Stops a replica unless both its threads are stopped already, after the manager has recorded the
 * stop. Returns false on error, which is then the outcome. */
bool replication_restart_stop(Outcome *ret, Session *session, const ImportTask *task,
        const StopNote *note, uint64_t deadline_usec, bool *ret_configured);

/* Starts replication. After a successful import also waits until it runs; otherwise that is the
 * outcome. A failed import stays the outcome; its text also has an error of the start. */
void replication_restart_start(Outcome *ret, Session *session, uint64_t deadline_usec);

/* Starts a replica whose threads are both stopped, because an importer that stopped it may have
 * died before it started it again. */
void replication_restart_recover(Outcome *ret, Session *session, uint64_t deadline_usec);

/* Starts a replica that an earlier import has stopped, unless a thread is active or the replica is
 * no longer configured. Does not wait until it runs. */
void replication_restart_resume(Outcome *ret, Session *session);
