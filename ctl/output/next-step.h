#pragma once

/*
 * Advice: why something is not as it should be, and the next step for the person who reads it.
 */

#include "ctl/client/status-info.h"

#define NEXT_STEP_MAX 1024

/* "" when nothing is to do. */
void next_step_cluster(char *buffer, size_t size, const ClusterInfo *cluster);
void next_step_material(char *buffer, size_t size, const MaterialInfo *material);

/* The command that helps on, or "". */
void next_step_cluster_command(char *buffer, size_t size, const ClusterInfo *cluster);
void next_step_material_command(char *buffer, size_t size, const MaterialInfo *material);
