#pragma once

/*
 * Importer: the process that imports one sealed payload into one cluster.
 *
 * It maps the payload, reads the password, opens a session and runs the import or the check. Key
 * and password are in memory only as long as the process lives. The manager logs, records and
 * displays the outcome, so whatever its texts repeat of password and key is redacted before it is
 * sent.
 */

#include "daemon/import/import-task.h"
#include "daemon/model/outcome.h"

/* 0, or a negative errno if the payload could not be mapped or no memory was available. */
int importer_run(Outcome *ret, const ImportTask *task);
