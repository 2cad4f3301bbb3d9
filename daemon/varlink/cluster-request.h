#pragma once

/*
 * Cluster request: the parameters of the methods that take names of clusters: GetHistory, Import,
 * Remove and CheckClusters.
 */

#include <stdbool.h>

#include "common/varlink.h"
#include "daemon/model/status.h"

typedef struct ClusterRequest {
        const JsonValue *names; /* NULL: all clusters; points into the call */
        bool *chosen;           /* for each cluster of the status */
        bool force;
} ClusterRequest;

/* Returns the name of a parameter with a wrong type, or NULL. */
const char *cluster_request_parse(ClusterRequest *ret, const VarlinkCall *call);
void cluster_request_done(ClusterRequest *request);

/* Looks the names up in the status. `ret_unknown` is one that no cluster has, or NULL. -ENOMEM. */
int cluster_request_choose(
        ClusterRequest *request, const ManagerStatus *status, const char **ret_unknown);
