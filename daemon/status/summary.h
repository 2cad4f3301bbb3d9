#pragma once

/*
 * Summary: the whole daemon in one line and one word, and the sentence behind one cluster or
 * material. Pure; the line is systemd's STATUS= and GetStatus' summary.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/status.h"

Health summary_health(const ManagerStatus *status);

/* "4/4 clusters current, certificate valid until 2027-02-01", or what is wrong first. */
void summary_line(char *buffer, size_t size, const ManagerStatus *status);

/* Why it is in its state; "" when there is nothing to say. The material of a cluster that is no longer
 * configured is NULL. */
void summary_material_reason(char *buffer, size_t size, const MaterialStatus *material);
void summary_cluster_reason(
        char *buffer, size_t size, const ClusterStatus *cluster, const MaterialStatus *material);

/* What to do about it: "" when nothing is to do, or it is not known. */
const char *summary_cluster_next(const ClusterStatus *cluster);
