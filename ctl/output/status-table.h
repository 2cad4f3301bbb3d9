#pragma once

/*
 * Table: materials and clusters as a person reads them: what is on disk, what is imported, what is
 * in use; for what is not current why, and what to do; within the page's columns.
 */

#include "common/terminal.h"
#include "ctl/client/status-info.h"

/* `names` are the clusters to show, all when there are none; of the materials then those that they
 * use. */
void status_table_print(
        const Terminal *terminal, const StatusInfo *info, char *const *names, int n_names);

/* Only what is not current, each with why and next: what a command says when it gives up. */
void status_table_print_problems(
        const Terminal *terminal, const StatusInfo *info, char *const *names, int n_names);

/* One of `names`, or there are none. */
bool status_table_includes(const char *name, char *const *names, int n_names);
