#pragma once

/*
 * Status details: the lines below a row of the status table: why, what to do, a command for it, and
 * since when.
 */

#include "common/terminal.h"
#include "ctl/client/status-info.h"
#include "ctl/output/cluster-groups.h"

#define STATUS_DETAILS_INDENT 6

void status_details_material(const Terminal *terminal, const MaterialInfo *material);

/* Of all clusters of a group. `named`: the user has asked for them. */
void status_details_clusters(const Terminal *terminal, const ClusterGroup *group, bool named);
