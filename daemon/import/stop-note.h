#pragma once

/*
 * Stop note: before replication is stopped, the manager writes into the record that it will be, so
 * that it is started again whatever happens to importer, manager or set.
 *
 * The request is sent before the outcome, so it is redacted here.
 */

#include <stdint.h>

#include "common/redact.h"
#include "daemon/import/import-task.h"
#include "daemon/model/replication.h"

/* What the request must not contain. Both live as long as the importer. */
typedef struct StopNote {
        const Redactor *password, *key;
} StopNote;

/* Returns 0 when the record is on disk, else a negative errno; then nothing may be stopped.
 * `replication` is the status before the stop, `deadline_usec` boot time. */
int stop_note_write(const StopNote *note, const ImportTask *task, const Replication *replication,
        uint64_t deadline_usec);
