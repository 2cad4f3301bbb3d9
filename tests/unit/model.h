#pragma once

/*
 * A model of one good material and one current cluster. Each test takes it and breaks one thing.
 */

#include "daemon/summary.h"

#define MODEL_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* 2027-02-01 14:05:09 UTC */
#define MODEL_TIME (UINT64_C(1801490709) * 1000000)

#define MODEL_CLUSTERS 3

typedef struct TestModel {
        MaterialConfig material_config;
        Report report;
        LookoutStatus lookout;
        MaterialStatus material;
        ClusterConfig cluster_config[MODEL_CLUSTERS];
        Record record[MODEL_CLUSTERS];
        Replication replication[MODEL_CLUSTERS];
        ClusterStatus cluster[MODEL_CLUSTERS]; /* "orders", "users", "logs" */
        const MaterialStatus *materials[1];
        const ClusterStatus *clusters[MODEL_CLUSTERS];
        Model model; /* of the first cluster alone; n_clusters may be raised */
} TestModel;

/* It points into itself and must stay where it is. */
void model_make(TestModel *ret);

/* What an attempt came to, and the state that goes with it. */
void model_fail(
        TestModel *model, unsigned cluster, ClusterState state, OutcomeKind kind, const char *text);
