#pragma once

/*
 * Source probe: before an import the importer logs in to the replication source with the new set,
 * as the replica will, so that a set which the source refuses is not imported.
 *
 * The login is made in a process of its own. A library holds the key there, and the session with
 * the cluster, which must be the only one of a process, stays as it is; a name server, a file
 * system or a source that does not answer costs the import only the probe's share of its time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* `pem`: the files of the set. `session` is one with the cluster: where the configuration does not
 * name the source, the replica's status is read. Returns true if the import may go on, possibly
 * with a warning; otherwise the outcome says why not. */
bool source_probe_run(Outcome *ret, Session *session, const ClusterConfig *cluster,
        const Secret pem[static _MATERIAL_FILE_MAX], uint64_t deadline_usec);
