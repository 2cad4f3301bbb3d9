#pragma once

/*
 * Importer: the life of the process that brings one sealed payload into one cluster.
 *
 * Reads the password afresh, maps the payload, opens a session, runs the procedure. Everything it
 * held is gone with its process. What the server said goes to the manager only after whatever it
 * repeats of password and key was covered, for it is logged, recorded and shown there.
 */

#include "daemon/import/import-task.h"
#include "daemon/model/outcome.h"

/* 0, or a negative errno when nothing could be tried. */
int importer_run(Outcome *ret, const ImportTask *task);
