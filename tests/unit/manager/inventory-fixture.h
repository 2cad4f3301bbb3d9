#pragma once

/*
 * Inventory fixture: one material "default" and the clusters "orders" and "users".
 *
 * Materials, clusters and records are stand-ins: a test sets their condition and reads which were
 * made, kept, gone and freed.
 */

#include "daemon/manager/inventory.h"
#include "daemon/record/record-file.h"
#include "daemon/record/rollout-table.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct Material {
        char name[CONFIG_NAME_MAX];
        MaterialConfig config;
        MaterialStatus status;
        SealedSet *set;
        material_changed_fn fn;
        void *userdata;
};

struct Cluster {
        char name[CONFIG_NAME_MAX];
        Config *daemon; /* a reference */
        const ClusterConfig *config;
        ClusterCounts *counts;
        ClusterStatus status;
        bool importing, checking, pending, warned;
        unsigned importing_port;
        unsigned n_retries, n_flushes;
        char adopted[REPORT_FINGERPRINT_MAX]; /* by cluster_adopt_set() */
};

struct RolloutTable {
        unsigned n_loads, n_begun, n_ended;
};

typedef struct InventoryFixture {
        Inventory *inventory;
        unsigned n_materials, n_clusters; /* made and not freed */
        Material *made;                   /* the last one */
        unsigned n_reports;               /* of materials */
        unsigned n_unreadable;
        RolloutTable rollouts;
        Rollout rollout; /* what a daemon before has left */
        char begun_for[CONFIG_NAME_MAX];
        unsigned n_saved;   /* records in which the imported set is in doubt */
        char removed[8192]; /* names, each with a blank after it */
        int material_error, cluster_error, record_error;
} InventoryFixture;

extern InventoryFixture fixture;

/* For cmocka. The second fails if an object was not freed. */
int fixture_make(void **state);
int fixture_done(void **state);

/* A configuration from names with blanks between them; each cluster has the first material. Every
 * text is "text", which the configuration owns. */
Config *fixture_config(const char *materials, const char *clusters);
int fixture_apply(const char *materials, const char *clusters);

/* As a new daemon, after one that has left this rollout. */
void fixture_start_again(const char *fingerprint, const char *cluster);

Cluster *fixture_cluster(size_t index);

/* An importer or check of the cluster runs, or no importer any more. */
void fixture_set_importing(Cluster *cluster, bool importing);
void fixture_set_checking(Cluster *cluster);

/* Its record is to be written. */
void fixture_set_pending(Cluster *cluster);

unsigned fixture_count_importing(void);
