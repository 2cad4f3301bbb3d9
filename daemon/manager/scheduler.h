#pragma once

/*
 * Scheduler: starts the imports and checks that are due, at most parallel-imports at a time.
 *
 * A pass plans the clusters that were marked since the last one, because something about them has
 * changed, and those whose time has come; what is due and finds no place waits for it without
 * another plan. So the work of an event does not grow with the number of clusters. With rollout =
 * canary a pass first brings the waves of these clusters up to date (daemon/cluster/wave.h): what
 * the clusters wait for.
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

#include "common/macro.h"
#include "daemon/manager/inventory.h"

typedef struct Scheduler Scheduler;

/* `inventory` must outlive the scheduler. */
int scheduler_new(Scheduler **ret, Inventory *inventory);
Scheduler *scheduler_free(Scheduler *scheduler);
DEFINE_CLEANUP(Scheduler *, scheduler_free);

/* After inventory_adopt(): everything is planned anew. */
void scheduler_reset(Scheduler *scheduler);

/* Something about the cluster has changed: CLUSTER_EVENT_END, or an operator's command. */
void scheduler_mark(Scheduler *scheduler, size_t cluster);

/* Something about the material has changed, or time has passed: its clusters are planned. */
void scheduler_mark_material(Scheduler *scheduler, const Material *material);

/* One pass. Returns the boot time at which the next action is due: `now_usec` if the pass ended
 * early, USEC_NEVER if there is none. An action that waits only for a running importer is not in
 * it, nor what follows a start: each end of an import or check (CLUSTER_EVENT_END) needs a pass
 * of its own. */
uint64_t scheduler_start_due(Scheduler *scheduler, uint64_t now_usec);

/* Returns true if each material is inspected and settled, or its file system does not respond, and
 * nothing runs or is due. Then `ret_current` is true if all enabled clusters are current and every
 * file system responds. */
bool scheduler_is_idle(const Scheduler *scheduler, bool *ret_current);
