#pragma once

/*
 * Roster: the materials and clusters of the configuration in force.
 *
 * Another configuration is put in force as a whole or not at all: what it names and is there already
 * stays as it is with all it knows, the rest comes and goes. A cluster that goes while its importer
 * runs lives on until that has ended, for nobody would know what an aborted CALL came to.
 */

#include <stddef.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/manager/cluster.h"
#include "daemon/manager/material.h"
#include "daemon/model/status.h"

typedef struct Inventory Inventory;

typedef struct InventoryHandlers {
        material_changed_fn material_changed;
        cluster_changed_fn cluster_changed;
        void (*material_removed)(const MaterialStatus *material, void *userdata);
        void (*cluster_removed)(const ClusterStatus *cluster, void *userdata);
        void (*record_unreadable)(const char *cluster, int error, void *userdata);
        void *userdata;
} InventoryHandlers;

/* Empty at first. */
int inventory_new(Inventory **ret, sd_event *event, const InventoryHandlers *handlers);
Inventory *inventory_free(Inventory *inventory);
DEFINE_CLEANUP(Inventory *, inventory_free);

/* Puts `config` in force and takes it over, also on failure; then nothing has changed. */
int inventory_apply(Inventory *inventory, Config *config);

const Config *inventory_config(const Inventory *inventory);

/* In the order of the configuration; a cluster's material by the cluster's index. */
Cluster *inventory_cluster(const Inventory *inventory, size_t index);
Material *inventory_material_of(const Inventory *inventory, size_t cluster);

/* The importers that run, those of clusters that have gone included. */
unsigned inventory_count_importing(const Inventory *inventory);

/* The checks that run. */
unsigned inventory_count_checking(const Inventory *inventory);

/* Forgets clusters that have gone and whose importer has ended. */
void inventory_free_retired(Inventory *inventory);

/* Writes every record that is still to be written. */
void inventory_flush(Inventory *inventory);

/* Writes one of them; false: there is none that could be written now. */
bool inventory_flush_one(Inventory *inventory);

/* Marks the expiry warning of a material's set as logged, in the records of its clusters. Returns
 * false if it was logged before. */
bool inventory_set_warned(
        Inventory *inventory, const char *material, const char *fingerprint, uint64_t within_usec);

/* Lives until the next inventory_apply(). */
ManagerStatus inventory_status(const Inventory *inventory, uint64_t now_usec);
