#pragma once

/*
 * Clerk: keeps the record of one cluster on disk, and tries again until it stands there.
 *
 * A durable write waits for the disk, and the loop with it, and takes the processor from importers
 * that still run; when many imports end together that adds up. So a record waits a little, or until
 * its owner knows that there is time for it. A crash before that costs one more import.
 *
 * A state directory that is full or read-only delays no import. What could not be written is
 * tried again with a back-off, and once more at the end.
 */

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/model/record.h"

typedef struct RecordWriter RecordWriter;

/* Whether the record stands on disk changed; `error` is why it does not, 0: it does. */
typedef void (*record_writer_fn)(int error, void *userdata);

/* `cluster` and `record` must outlive the clerk. */
int record_writer_new(RecordWriter **ret, sd_event *event, const char *cluster,
        const Record *record, uint64_t delay_usec, record_writer_fn fn, void *userdata);
RecordWriter *record_writer_free(RecordWriter *record_writer);
DEFINE_CLEANUP(RecordWriter *, record_writer_free);

/* The record is to be written within `delay_usec`, as it is by then. */
void record_writer_schedule(RecordWriter *record_writer);

/* What is to be written is written now. */
void record_writer_flush(RecordWriter *record_writer);

/* The same, unless that has just failed and waits for its next try. True: it was written, or tried. */
bool record_writer_flush_pending(RecordWriter *record_writer);
