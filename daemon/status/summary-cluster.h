#pragma once

/*
 * Summary of a cluster: its health, the reason of its state, and the next step for a person, as
 * sentences. Pure but for $STATE_DIRECTORY: `now_usec` is the wall clock. `material` is that of the
 * cluster; NULL: it is no longer configured.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/model/status.h"

/* Without its material. An imported set that has expired is critical: replication does not connect
 * with it again. */
Health summary_cluster_health(const ClusterStatus *cluster, uint64_t now_usec);

/* "" if there is none. A cluster that waits keeps the imported set: the reason names it, and until
 * when it is valid. */
void summary_cluster_reason(char *buffer, size_t size, const ClusterStatus *cluster,
        const MaterialStatus *material, uint64_t now_usec);

/* "": there is nothing to do, or it is not known. */
const char *summary_cluster_next_step(const ClusterStatus *cluster, const MaterialStatus *material);

/* What a person can do after the last removal of the client material; "": nothing. */
const char *summary_removal_next_step(const ClusterStatus *cluster);

/* Why replication is stopped, and what a person can do, while Record.stop is set. */
void summary_stop_reason(char *buffer, size_t size, const ClusterStatus *cluster);
const char *summary_stop_next_step(const ClusterStatus *cluster);
