#pragma once

/*
 * Inspector: reads and validates the files of one material in a process of its own (doc/design.md,
 * "Processes").
 *
 * Only the inspector opens the key file. It writes the payload to a descriptor that the manager
 * created and seals afterwards, and fills a report that holds nothing of the key. Commands and
 * tests that only validate call it in their own process.
 */

#include "daemon/config/config.h"
#include "daemon/model/report.h"
#include "daemon/watch/progress.h"

typedef struct InspectorTask {
        const MaterialConfig *config;
        int payload_fd;     /* written from its start; -1: validate only */
        uint64_t now_usec;  /* wall clock */
        Progress *progress; /* finished when the files are read; NULL: none */
} InspectorTask;

/* Returns 0, or a negative errno if the inspection itself failed; bad material is in the report. */
int inspector_run(Report *ret, const InspectorTask *task);
