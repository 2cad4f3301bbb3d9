#pragma once

/*
 * Check clusters: `binlog-ssld --check-clusters`: reads the sets on disk, probes the clusters, at
 * most parallel-imports at a time, and prints the result when the last one has ended. Writes
 * nothing to the state directory.
 */

#include <stdbool.h>

#include "daemon/config/config.h"

/* With names only these clusters; no name is an unknown one. SIGCHLD must be blocked. Returns the
 * exit status after a message. */
int check_clusters(Config *config, char *const *names, int n_names, bool json);
