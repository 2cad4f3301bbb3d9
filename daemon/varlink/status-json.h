#pragma once

/*
 * Status JSON: writes the answer to GetStatus and the objects of an event from the status values,
 * which hold nothing secret.
 */

#include <stdint.h>

#include "common/json-writer.h"
#include "daemon/model/status.h"

typedef struct ManagerInfo {
        const char *version;
        int pid;
        uint64_t started_at_usec, loaded_at_usec; /* wall clock; start and last configuration */
        uint64_t generation;                      /* the number of reloads that were applied */
} ManagerInfo;

/* Write one object. The `material` of a cluster is NULL if the cluster is no longer configured;
 * `now_usec` is the wall clock. */
void status_json_write_material(JsonWriter *writer, const MaterialStatus *material);
void status_json_write_cluster(JsonWriter *writer, const ClusterStatus *cluster,
        const MaterialStatus *material, uint64_t now_usec);

/* Writes the object that says why a configuration is refused. */
void status_json_write_problem(JsonWriter *writer, const ConfigProblem *problem);

/* Makes the answer, a heap string. */
int status_json_format(char **ret, const ManagerInfo *info, const ManagerStatus *status);
