#pragma once

/*
 * Status: the answer to GetStatus, written from the model. Holds nothing secret, because the
 * model holds nothing secret.
 */

#include <stdint.h>

#include "daemon/summary.h"

typedef struct StatusFacts {
        const char *version;
        int pid;
        uint64_t started_at_usec, loaded_at_usec;
} StatusFacts;

/* A JSON object as a heap string. */
int status_format(char **ret, const StatusFacts *facts, const Model *model);
