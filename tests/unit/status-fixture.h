#pragma once

/*
 * Status fixture: the status of one valid material and one current cluster. Each test changes one
 * part of it.
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
        WatchProcessStatus watch_process;
        MaterialStatus material;
        ClusterConfig cluster_config[FIXTURE_CLUSTERS];
        Record record[FIXTURE_CLUSTERS]; /* its texts are of the test */
        char text[FIXTURE_CLUSTERS][OUTCOME_TEXT_MAX];
        Replication replication[FIXTURE_CLUSTERS];
        ClusterStatus cluster[FIXTURE_CLUSTERS]; /* "orders", "users", "logs" */
        const MaterialStatus *materials[1];
        const ClusterStatus *clusters[FIXTURE_CLUSTERS];
        ManagerStatus status; /* of the first cluster; n_clusters may be increased */
} StatusFixture;

/* The fixture points into itself and must not be copied. */
void status_fixture_make(StatusFixture *ret);

/* The boot time at which the wall clock shows FIXTURE_TIME, in the middle of that second. */
uint64_t status_fixture_boottime(void);

/* Sets the state of a cluster and the outcome of its last attempt, a failure. */
void status_fixture_fail(StatusFixture *status, unsigned cluster, ClusterState state,
        OutcomeKind kind, const char *text);
