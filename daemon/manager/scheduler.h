#pragma once

/*
 * Scheduler: starts the imports and checks that are due, at most parallel-imports at a time.
 *
 * With rollout = canary a pass first brings the wave of each material up to date
 * (daemon/manager/wave.h): what the clusters wait for.
 *
 * Checks may hang on a slow network, so they never delay an import: only running imports count
 * against the limit of an import, while imports and checks count against the limit of a check.
 *
 * Clusters are served round-robin, so that with a small limit the last ones of a long list wait no
 * longer than the first. A cluster waits while an import that a reload has left behind still runs
 * into its server. A fork takes time, so one pass starts only a few processes and the
 * loop can answer status requests in between.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/manager/inventory.h"

/* One pass. Returns the boot time at which the next action is due: `now_usec` if the pass ended
 * early, USEC_NEVER if there is none. An action that waits only for a running importer is not in
 * it, nor what follows a start: each end of an import or check (CLUSTER_EVENT_END) needs a pass
 * of its own. `turn` is the index of the cluster that is first, also of another configuration,
 * and moves on. */
uint64_t scheduler_start_due(Inventory *inventory, size_t *turn, uint64_t now_usec);

/* Returns true if each material is inspected and settled, or its file system does not respond, and
 * nothing runs or is due. Then `ret_current` is true if all enabled clusters are current and every
 * file system responds. */
bool scheduler_is_idle(const Inventory *inventory, bool *ret_current);
