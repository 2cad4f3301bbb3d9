#pragma once

/*
 * Status table: prints materials and clusters for people: the set on disk, the set that is
 * imported, and what replication does. The worst come first, the clusters before the materials if
 * a cluster has the worst problem; the reason and the next step stand below those that have a
 * problem, once for each cause. A terminal gets the first clusters of each cause, and their number.
 */

#include "common/terminal.h"
#include "ctl/client/status-info.h"

/* What is printed: the clusters in `names` and the materials that they use, or everything if there
 * are no names. */
typedef struct StatusSelection {
        char *const *names;
        int n_names;
        bool problems; /* only what is not ok; of the clusters, also what is not current yet */
} StatusSelection;

/* -ENOMEM: nothing was printed. */
int status_table_print(
        const Terminal *terminal, const StatusInfo *info, const StatusSelection *selection);

/* Returns true if `name` is one of `names`, or there are no names. */
bool status_table_includes(const char *name, char *const *names, int n_names);
