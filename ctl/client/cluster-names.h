#pragma once

/*
 * Cluster names: the parameters of a call about the clusters that a person has named.
 */

#include <stdbool.h>

/* Formats {"clusters": NAMES, "force": true}, each member only if there is something to say: the
 * daemon takes no name for all clusters. `ret` is a heap string. Returns EXIT_SUCCESS, or the exit
 * status after an error message: a name is not UTF-8, or there is no memory. */
int cluster_names_format(
        char **ret, const char *socket, char *const *names, int n_names, bool force);
