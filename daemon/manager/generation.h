#pragma once

/*
 * Generation: the objects of one configuration, and their way from one configuration to the next.
 */

#include <stddef.h>

#include "daemon/cluster/cluster.h"
#include "daemon/config/config.h"
#include "daemon/manager/material.h"
#include "daemon/model/status.h"

typedef struct Generation {
        Config *config;
        Material **materials; /* in its order */
        Cluster **clusters;   /* in its order, and then those that are gone */
        size_t n_clusters;    /* of both */
        const MaterialStatus **material_statuses;
        const ClusterStatus **cluster_statuses; /* of those in force */
} Generation;

#define GENERATION_NULL ((Generation){0})

/* Owns `config`, also on failure. The arrays are empty and have room for clusters that are gone. */
int generation_new(Generation *ret, Config *config, size_t n_gone);

/* Frees the configuration and the objects that are still in the arrays. */
void generation_done(Generation *generation);

/* Without those that are gone. */
size_t generation_n_clusters(const Generation *generation);

/* Returns the material with the same name and settings, or NULL. */
Material **generation_find_material(const Generation *generation, const MaterialConfig *config);

/* A cluster of a generation, also one that is gone. */
typedef struct GenerationSlot {
        const char *name;
        Cluster **cluster;
} GenerationSlot;

/* Returns all of them, by name, valid as long as the arrays are unchanged; NULL without memory. */
GenerationSlot *generation_list(const Generation *generation);

/* Returns NULL if there is none. Most often it has the same index `i` in the new configuration. */
Cluster **generation_find(
        const Generation *generation, const GenerationSlot *slots, size_t i, const char *name);

/* Moves what exists in `old` to its place in the new generation, and configures it. Cannot fail, so
 * that every error of a reload leaves the inventory unchanged. */
void generation_adopt(Generation *generation, Generation *old, const GenerationSlot *slots);

/* Afterwards: the clusters that are left in `old` are gone from now on. */
void generation_keep_gone(Generation *generation, Generation *old);
