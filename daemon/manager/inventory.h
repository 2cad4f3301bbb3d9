#pragma once

/*
 * Inventory: the materials and clusters of the configuration in force.
 *
 * A configuration is applied as a whole or not at all. A material with the same name and settings
 * and a cluster with the same name keep their state; the others are made new or removed. A removed
 * cluster is gone, but freed only later: with some others in a turn of the loop, and when its
 * importer has ended, because an aborted CALL leaves an unknown outcome. If its name is configured
 * again before, it comes back: there is never more than one cluster, and one importer, of a name.
 */

#include <stddef.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/cluster/cluster.h"
#include "daemon/config/config.h"
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

/* Has no configuration before the first inventory_apply(). */
int inventory_new(Inventory **ret, sd_event *event, const InventoryHandlers *handlers);
Inventory *inventory_free(Inventory *inventory);
DEFINE_CLEANUP(Inventory *, inventory_free);

/* The steps in which a configuration is applied, each in a turn of the loop of its own. Until the
 * last one nothing of the configuration in force has changed, and after an error nothing ever does.
 *
 * Owns `config`, also on failure, and forgets what was prepared before. */
int inventory_prepare(Inventory *inventory, Config *config);

/* Makes at most `n` new clusters. Returns 1 if there are more, 0 if all exist. */
int inventory_prepare_some(Inventory *inventory, size_t n);

/* Puts what is prepared in force. Resets the back-off of each cluster. */
void inventory_adopt(Inventory *inventory);

/* Forgets what is prepared, if anything is. */
void inventory_cancel(Inventory *inventory);

/* All steps at once. */
int inventory_apply(Inventory *inventory, Config *config);

const Config *inventory_config(const Inventory *inventory);

/* The same as a reference of the caller, which a reload does not end. */
Config *inventory_ref_config(const Inventory *inventory);

/* By the cluster's index in the configuration. */
Cluster *inventory_cluster(const Inventory *inventory, size_t index);
Material *inventory_material_of(const Inventory *inventory, size_t cluster);

/* The set on disk of the material, before anything compares it with a record. */
void inventory_adopt_set(Inventory *inventory, const Material *material);

/* Its index. Returns false for a cluster that a reload has removed. */
bool inventory_find(const Inventory *inventory, const Cluster *cluster, size_t *ret);

/* Returns true if the first inspection of each material has ended. */
bool inventory_is_inspected(const Inventory *inventory);

/* Including the clusters that are gone. */
const ClusterCounts *inventory_counts(const Inventory *inventory);

/* Writes down that a set of this cluster's material is on its way into clusters, once per set:
 * before an import. If the daemon is killed, no cluster is taken to have another set at the next
 * start; with `alone`, until another cluster gets it, only this one is not. */
void inventory_begin_rollout(
        Inventory *inventory, size_t cluster, const char *fingerprint, bool alone);

/* After inventory_flush(): what was written down is no longer needed, unless a record could not be
 * written. */
void inventory_end_rollouts(Inventory *inventory);

/* Returns true if an import still runs into the server of this cluster that was started by a
 * cluster which has another server or is removed since, for example because it has a new name. */
bool inventory_is_server_busy(Inventory *inventory, size_t cluster);

/* Frees clusters that are gone and whose importer has ended, but none while a configuration is
 * prepared, which can have their names. Returns true if there are more. */
bool inventory_free_gone(Inventory *inventory);

/* Returns the boot time at which the last of the running imports is killed; 0: none runs. */
uint64_t inventory_import_deadline_usec(const Inventory *inventory);

void inventory_end_checks(Inventory *inventory);

/* Kills all importers that run; the imports are in doubt. */
void inventory_abort_imports(Inventory *inventory);

/* Writes each record that is not written yet. */
void inventory_flush(Inventory *inventory);

/* Writes one of them; a write that failed is left to its retry. Returns false if there was none. */
bool inventory_flush_one(Inventory *inventory);

/* Marks the expiry warning of a material's set as logged, in the records of its clusters. Returns
 * false if it was logged before. */
bool inventory_set_warned(
        Inventory *inventory, const char *material, const char *fingerprint, uint64_t within_usec);

/* `now_usec` is the wall clock. The arrays live until the next inventory_adopt(). */
ManagerStatus inventory_status(const Inventory *inventory, uint64_t now_usec);
