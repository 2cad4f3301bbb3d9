#pragma once

/*
 * Status: the answer to GetStatus, written from the model. Holds nothing secret, because the
 * model holds nothing secret.
 */

#include <stdint.h>

#include "common/json-writer.h"
#include "daemon/status/summary.h"

typedef struct ManagerInfo {
        const char *version;
        int pid;
        uint64_t started_at_usec, loaded_at_usec;
} ManagerInfo;

/* One object of the answer, also for events. `material` is the cluster's; NULL when
 * the cluster is no longer configured. */
void status_json_write_material(JsonWriter *writer, const MaterialStatus *material);
void status_json_write_cluster(
        JsonWriter *writer, const ClusterStatus *cluster, const MaterialStatus *material);

/* A JSON object as a heap string. */
int status_json_format(char **ret, const ManagerInfo *facts, const ManagerStatus *status);
