#pragma once

/*
 * Summary: the manager's status as one line and one health, and the reason of one cluster or
 * material as a sentence. Pure. The line is systemd's STATUS= and the summary of GetStatus.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/status.h"

Health summary_health(const ManagerStatus *status);

/* "4/4 clusters current, certificate valid until 2027-02-01", or what is wrong first. */
void summary_line(char *buffer, size_t size, const ManagerStatus *status);

/* The reason of the state; "" if there is none. `material` is NULL for a cluster whose material
 * is no longer configured. */
void summary_material_reason(char *buffer, size_t size, const MaterialStatus *material);
void summary_cluster_reason(
        char *buffer, size_t size, const ClusterStatus *cluster, const MaterialStatus *material);

/* Why the clusters of a material wait; "" if the wave is open, or there is none. */
void summary_wave_reason(char *buffer, size_t size, const WaveStatus *wave);

/* What a person can do after the last removal of the client material; "": nothing. */
const char *summary_removal_next_step(const ClusterStatus *cluster);

/* Why replication is stopped, and what a person can do, while Record.stop is set. */
void summary_stop_reason(char *buffer, size_t size, const ClusterStatus *cluster);
const char *summary_stop_next_step(const ClusterStatus *cluster);

/* The next step of a cluster; "" if there is none, or it is not known. `material` as above. */
const char *summary_cluster_next_step(const ClusterStatus *cluster, const MaterialStatus *material);
