#pragma once

/*
 * Cluster groups: the clusters of a status in the order in which a person needs them. The worst
 * come first; clusters with the same cause are one group, which is explained once. Pure.
 */

#include <stddef.h>

#include "ctl/client/status-info.h"

/* Clusters of the status, which must outlive it. */
typedef struct ClusterGroup {
        const ClusterInfo *const *clusters;
        size_t n; /* at least 1 */
} ClusterGroup;

typedef struct ClusterGroups {
        const ClusterInfo **clusters;
        ClusterGroup *groups;
        size_t n_clusters, n_groups;
} ClusterGroups;

/* Of the clusters that `includes` accepts. With `apart` each is a group of its own. -ENOMEM. */
int cluster_groups_make(ClusterGroups *ret, const StatusInfo *info,
        bool (*includes)(const ClusterInfo *cluster, const void *userdata), const void *userdata,
        bool apart);
void cluster_groups_done(ClusterGroups *groups);

/* Of a group, the cluster that waits for the longest time, and the wall clock of the next attempt
 * of any; 0: none is due. */
const ClusterInfo *cluster_group_latest(const ClusterGroup *group);
uint64_t cluster_group_next_attempt_usec(const ClusterGroup *group);
