#pragma once

/*
 * Table: the answer to GetStatus as a person reads it: what is wrong, since when, and what to do,
 * within 100 columns.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/json.h"

/* `names` are the clusters to show, all when there are none. */
void table_print(FILE *stream, const JsonValue *status, char *const *names, int n_names, bool color,
        uint64_t now_usec);

bool table_has_cluster(const JsonValue *status, const char *name);

/* The monitoring-plugin convention: 0 ok, 1 warning, 2 critical. */
int table_exit_code(const JsonValue *status);
