#pragma once

/*
 * Replication repoint: sets the external source of a stopped replica again, after the import, with
 * the coordinates up to which it has executed and with TLS. That is the documented way in which the
 * files of an import reach the instance (doc/aurora.md, "After the import").
 *
 * Everything that can be refused is refused before replication is stopped. The coordinates are
 * those of the stopped replica, so that no event is skipped or applied twice, and setting them
 * again after a crash changes nothing.
 */

#include <stdbool.h>

#include "daemon/import/attempt.h"

/* Before the stop: finds source, procedure and password. Returns false if nothing may be stopped;
 * the outcome says why. */
bool replication_repoint_prepare(Attempt *attempt);

/* After the import, while replication is stopped. Returns false on error, which is then the
 * outcome. */
bool replication_repoint_run(Attempt *attempt);
