#pragma once

/*
 * Status: the answer to GetStatus, written from the model. Holds nothing secret, because the
 * model holds nothing secret.
 */

#include <stdint.h>

#include "common/json.h"
#include "daemon/summary.h"

typedef struct StatusFacts {
        const char *version;
        int pid;
        uint64_t started_at_usec, loaded_at_usec;
} StatusFacts;

/* One object of the answer, also for events. `material` is the cluster's; NULL when
 * the cluster is no longer configured. */
void status_write_material(JsonWriter *writer, const MaterialStatus *material);
void status_write_cluster(
        JsonWriter *writer, const ClusterStatus *cluster, const MaterialStatus *material);

/* A JSON object as a heap string. */
int status_format(char **ret, const StatusFacts *facts, const Model *model);
