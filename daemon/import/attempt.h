#pragma once

/*
 * Attempt: what the steps of one import share. It lives as long as the session, in the importer.
 */

#include <stdint.h>

#include "common/secret.h"
#include "daemon/import/import-task.h"
#include "daemon/import/stop-note.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/external-source.h"
#include "daemon/mysql/ledger.h"
#include "daemon/mysql/preflight.h"
#include "daemon/mysql/session.h"

typedef struct Attempt {
        Outcome *outcome;
        Session *session;
        const ImportTask *task;
        const StopNote *note;
        uint64_t deadline_usec; /* boot time */
        Preflight preflight;
        Ledger ledger;          /* with no entries and no stop unless it was read */
        ExternalSource source;  /* with replication = repoint */
        Secret source_password; /* of its user */
} Attempt;
