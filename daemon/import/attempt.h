#pragma once

/*
 * Attempt: what the steps of one import share. It lives as long as the session, in the importer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "daemon/import/call.h"
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
        Ledger ledger;             /* with no entries and no stop unless it was read */
        ReplicationSource replica; /* of the last reading */
        ExternalSource source;     /* with replication = repoint */
        Secret source_password;    /* of its user */
} Attempt;

/* The preflight: who the server is, and whether it would keep the key of `payload` (NULL: nothing
 * is sent). Returns false if nothing may be done; the outcome says why. */
bool attempt_check_server(Attempt *attempt, const CallPayload *payload);
