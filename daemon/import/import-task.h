#pragma once

/*
 * Import task: the input of one importer process. The manager owns the task and its pointers; they
 * must live until the process is started, which then has a copy.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/job.h"
#include "daemon/config/config.h"
#include "daemon/model/record.h"

typedef enum ImportAction {
        IMPORT_ACTION_IMPORT,
        IMPORT_ACTION_RESTART_REPLICATION, /* the set is imported already */
        IMPORT_ACTION_START_REPLICATION,   /* an import has stopped it; there may be no set */
        IMPORT_ACTION_REMOVE,              /* the client material of the cluster; no set */
        IMPORT_ACTION_CHECK,               /* read ledger and replication; changes nothing */
        _IMPORT_ACTION_MAX,
} ImportAction;

typedef struct ImportTask {
        ImportAction action;
        const ClusterConfig *cluster;
        int payload_fd; /* sealed; a check uses it only to redact; -1: there is no set */
        SetInfo set;
        Newlines newlines;
        bool forced;     /* regardless of the ledger */
        RecordStop stop; /* on record: replication was stopped and not started again */
        uint64_t timeout_usec;
        JobLink *link; /* set by the import job; open if the importer may stop replication */
} ImportTask;
