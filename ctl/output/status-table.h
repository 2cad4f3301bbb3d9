#pragma once

/*
 * Status table: prints materials and clusters for people: the set on disk, the set that is
 * imported, the set in use; below each that has a problem, the reason and the next step. Lines
 * wrap at the columns of the terminal.
 */

#include "common/terminal.h"
#include "ctl/client/status-info.h"

/* Prints the clusters in `names` and the materials that they use, or everything if there are no
 * names. */
void status_table_print(
        const Terminal *terminal, const StatusInfo *info, char *const *names, int n_names);

/* Prints only the materials that cannot be imported and the clusters that are not current or whose
 * last forced import failed, for a command that fails. */
void status_table_print_problems(
        const Terminal *terminal, const StatusInfo *info, char *const *names, int n_names);

/* Returns true if `name` is one of `names`, or there are no names. */
bool status_table_includes(const char *name, char *const *names, int n_names);
