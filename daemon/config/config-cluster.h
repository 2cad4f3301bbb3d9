#pragma once

/*
 * Cluster section: makes a ClusterConfig of [cluster NAME] and [cluster-defaults], and refuses keys
 * that contradict each other or have no effect.
 */

#include "daemon/config/config-section.h"

/* Appends the cluster. The materials are loaded already. -EINVAL: the problem is set; -ENOMEM. */
int config_cluster_load(const Load *load, Config *config, const Section *section, const char *name);
