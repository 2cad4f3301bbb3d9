#pragma once

/*
 * History as JSON: the answer of GetHistory.
 *
 * An answer is made in one turn of the loop, so it has a limit: of many clusters only the newest
 * entries of each, and always the newest one.
 */

#include <stdbool.h>

#include "daemon/model/status.h"

#define HISTORY_JSON_MAX 4096 /* entries of one answer */

/* Makes the answer, a heap string. `chosen` has a value for each cluster of the status. */
int history_json_format(char **ret, const ManagerStatus *status, const bool *chosen);
