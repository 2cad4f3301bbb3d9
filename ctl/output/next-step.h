#pragma once

/*
 * Next step: what a person can do about a cluster or material that has a problem, as a sentence
 * and as a command of binlog-sslctl. Pure.
 */

#include "ctl/client/status-info.h"

#define NEXT_STEP_MAX 1024

/* Write "" when nothing can or need be done. */
void next_step_cluster(char *buffer, size_t size, const ClusterInfo *cluster);
void next_step_material(char *buffer, size_t size, const MaterialInfo *material);

void next_step_cluster_command(char *buffer, size_t size, const ClusterInfo *cluster);
void next_step_material_command(char *buffer, size_t size, const MaterialInfo *material);
