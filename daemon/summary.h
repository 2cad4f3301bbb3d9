#pragma once

/*
 * Summary: the whole daemon in one line and one word, and the sentence behind one cluster or
 * material. Pure; the line is systemd's STATUS= and GetStatus' summary.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/cluster.h"
#include "daemon/material.h"

typedef enum Health {
        HEALTH_OK,
        HEALTH_WARNING,  /* it should mend itself, or there is time to act */
        HEALTH_CRITICAL, /* someone must act now */
        _HEALTH_MAX,
} Health;

const char *health_to_string(Health health);

/* What a state alone means for the health; the command judges by the same. */
Health health_of_material(MaterialState state);

typedef struct Model {
        const MaterialStatus *const *materials;
        size_t n_materials;
        const ClusterStatus *const *clusters;
        size_t n_clusters;
        uint64_t now_usec; /* wall clock */
} Model;

#define SUMMARY_TEXT_MAX 1024

Health summary_health(const Model *model);

/* "4/4 clusters current, certificate valid until 2027-02-01", or what is wrong first. */
void summary_line(char *buffer, size_t size, const Model *model);

/* Why it is in its state; "" when there is nothing to say. The material of a cluster that is no longer
 * configured is NULL. */
void summary_material_reason(char *buffer, size_t size, const MaterialStatus *material);
void summary_cluster_reason(
        char *buffer, size_t size, const ClusterStatus *cluster, const MaterialStatus *material);

/* What to do about it: "" when nothing is to do, or it is not known. */
const char *summary_cluster_next(const ClusterStatus *cluster);
