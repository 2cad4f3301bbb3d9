#pragma once

/*
 * Status page: the whole state as the command prints it: the headline, why a configuration is
 * refused, and the table; or the reply of the service.
 */

#include "common/json-reader.h"
#include "common/terminal.h"
#include "ctl/client/status-info.h"
#include "ctl/output/status-table.h"

/* Of the selected clusters and their materials; of all as the service says. */
Health status_page_health(const StatusInfo *info, const StatusSelection *selection);

/* Returns EXIT_SUCCESS if there is a cluster for each name, or EX_USAGE after an error message. */
int status_page_check_names(const StatusInfo *info, const StatusSelection *selection);

/* -ENOMEM. */
int status_page_print(
        const Terminal *terminal, const StatusInfo *info, const StatusSelection *selection);

/* Prints `status`, the reply of GetStatus that `info` was read from, on one line of stdout, with
 * the selected clusters alone. -EIO: printing failed. */
int status_page_print_json(
        const JsonValue *status, const StatusInfo *info, const StatusSelection *selection);
