#pragma once

/*
 * Cluster probes: the run of probes behind CheckClusters, with the sets, the records and the
 * configuration of the service. One run at a time.
 *
 * Probers have places of their own, so that they delay no import, and neither import nor check
 * delays them. A turn of the loop starts one. A reload leaves a run as it is: it ends with the
 * configuration that it has begun with. Nothing is recorded.
 */

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/manager/inventory.h"
#include "daemon/varlink/methods.h"

/* At most so many processes at a time, also where parallel-imports is larger. */
#define CLUSTER_PROBES_PARALLEL_MAX 32

typedef struct ClusterProbes ClusterProbes;

/* `inventory` must outlive it. */
int cluster_probes_new(ClusterProbes **ret, sd_event *event, const Inventory *inventory);

/* Kills the probers of a run. */
ClusterProbes *cluster_probes_free(ClusterProbes *probes);
DEFINE_CLEANUP(ClusterProbes *, cluster_probes_free);

/* What the method works with. */
CheckOperations cluster_probes_operations(ClusterProbes *probes);
