#pragma once

/*
 * Inspector: the life of the process that reads and judges one material (design 3).
 *
 * It alone opens the key file. It leaves the payload in a descriptor that the manager made and
 * will seal, and a report that holds nothing of the key. Runs in a child; in tests also without.
 */

#include "daemon/config/config.h"
#include "daemon/model/report.h"

typedef struct InspectorTask {
        const MaterialConfig *config;
        int payload_fd; /* written from its start; -1: only the verdict is wanted */
        uint64_t now_usec;
} InspectorTask;

/* 0, or a negative errno when the inspection itself failed; bad material is in the report. */
int inspector_run(Report *ret, const InspectorTask *task);
