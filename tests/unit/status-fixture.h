#pragma once

/*
 * A model of one good material and one current cluster. Each test takes it and breaks one thing.
 */

#include "daemon/status/summary.h"

#define FIXTURE_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* 2027-02-01 14:05:09 UTC */
#define FIXTURE_TIME (UINT64_C(1801490709) * 1000000)

#define FIXTURE_CLUSTERS 3

typedef struct StatusFixture {
        MaterialConfig material_config;
        Report report;
        WatchStatus watch;
        MaterialStatus material;
        ClusterConfig cluster_config[FIXTURE_CLUSTERS];
        Record record[FIXTURE_CLUSTERS];
        Replication replication[FIXTURE_CLUSTERS];
        ClusterStatus cluster[FIXTURE_CLUSTERS]; /* "orders", "users", "logs" */
        const MaterialStatus *materials[1];
        const ClusterStatus *clusters[FIXTURE_CLUSTERS];
        ManagerStatus status; /* of the first cluster alone; n_clusters may be raised */
} StatusFixture;

/* It points into itself and must stay where it is. */
void status_fixture_make(StatusFixture *ret);

/* What an attempt came to, and the state that goes with it. */
void status_fixture_fail(StatusFixture *status, unsigned cluster, ClusterState state,
        OutcomeKind kind, const char *text);
