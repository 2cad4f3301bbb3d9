#pragma once

/*
 * Cluster start: starts what the plan of a cluster says, and removals, which an operator requests.
 */

#include "daemon/cluster/cluster.h"

/* Starts the importer; the payload descriptor is needed only until this returns. An import ends a
 * check that runs: a check changes nothing on the cluster. Returns the errno if no process could be
 * started; that is an outcome as well, and that of an import is retried with back-off. */
int cluster_start(Cluster *cluster, PlanAction action, SealedSet *set);

/* Returns false while an import runs, or an importer cannot be ended. */
bool cluster_can_remove(const Cluster *cluster);

/* Requests the removal of the client material, if cluster_can_remove(); the scheduler starts it. A
 * removal that is requested already is not requested again. The record says at once that the set
 * may be gone, so that no end of the daemon is taken for a success. After a success the record's
 * file is removed, unless it has a stop of replication. */
void cluster_remove(Cluster *cluster);
