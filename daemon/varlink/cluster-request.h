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

/* Reads the parameters, and looks the names up in the status. A parameter of a wrong type and the
 * name of no cluster are refused: `ret_error` is set, as of a connection_call_fn. -ENOMEM. */
int cluster_request_make(ClusterRequest *ret, const VarlinkCall *call, const ManagerStatus *status,
        char **ret_parameters, const char **ret_error);
void cluster_request_done(ClusterRequest *request);
