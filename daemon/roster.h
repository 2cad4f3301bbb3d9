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
#include "daemon/cluster.h"
#include "daemon/config.h"
#include "daemon/material.h"
#include "daemon/summary.h"

typedef struct Roster Roster;

typedef struct RosterHandlers {
        material_changed_fn material_changed;
        cluster_changed_fn cluster_changed;
        void (*material_removed)(const MaterialStatus *material, void *userdata);
        void (*cluster_removed)(const ClusterStatus *cluster, void *userdata);
        void (*record_unreadable)(const char *cluster, int error, void *userdata);
        void *userdata;
} RosterHandlers;

/* Empty at first. */
int roster_new(Roster **ret, sd_event *event, const RosterHandlers *handlers);
Roster *roster_free(Roster *roster);
DEFINE_CLEANUP(Roster *, roster_free);

/* Puts `config` in force and takes it over, also on failure; then nothing has changed. */
int roster_apply(Roster *roster, Config *config);

const Config *roster_config(const Roster *roster);

/* In the order of the configuration; a cluster's material by the cluster's index. */
Cluster *roster_cluster(const Roster *roster, size_t index);
Material *roster_material_of(const Roster *roster, size_t cluster);

/* The importers that run, those of clusters that have gone included. */
unsigned roster_count_busy(const Roster *roster);

/* The checks that run. */
unsigned roster_count_checking(const Roster *roster);

/* Forgets clusters that have gone and whose importer has ended. */
void roster_reap(Roster *roster);

/* Writes every record that is still to be written. */
void roster_flush(Roster *roster);

/* Writes one of them; false: there is none that could be written now. */
bool roster_flush_one(Roster *roster);

/* Lives until the next roster_apply(). */
Model roster_model(const Roster *roster, uint64_t now_usec);
