#pragma once

/*
 * Stop note: before replication is stopped, the manager writes into the record that it will be, so
 * that it is started again whatever happens to importer, manager or set. When the threads are
 * stopped it learns the coordinates at which they are: they tell this stop from a later one.
 *
 * The request is sent before the outcome, so it is redacted here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/redact.h"
#include "daemon/import/import-task.h"
#include "daemon/model/replication.h"

/* What the request must not contain. Both live as long as the importer. */
typedef struct StopNote {
        Redactor *password; /* a further one can be added */
        const Redactor *key;
} StopNote;

/* Returns 0 when the manager has answered, else a negative errno. Before the stop (`completed`
 * false) the record is on disk then, and after an error nothing may be stopped. `replication`
 * and `source` are the status at that time, `deadline_usec` is boot time. */
int stop_note_write(const StopNote *note, const ImportTask *task, const Replication *replication,
        const ReplicationSource *source, bool completed, uint64_t deadline_usec);
