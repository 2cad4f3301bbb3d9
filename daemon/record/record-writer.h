#pragma once

/*
 * Record writer: writes a cluster's record to disk and retries with back-off until it succeeds.
 *
 * A durable write blocks the loop until the disk has it and competes with running importers for the
 * processor, and many imports may end together. So a scheduled write is delayed, or done earlier
 * when the owner is idle. A crash before the write costs one more import.
 *
 * A state directory that is full or read-only delays no import. A write that failed is tried again
 * with back-off, and a last time when the writer is freed.
 */

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/model/record.h"

typedef struct RecordWriter RecordWriter;

/* The result of the writes changed; `error` is the errno of the last one, 0 if it succeeded. */
typedef void (*record_writer_fn)(int error, void *userdata);

/* `cluster` and `record` must outlive the writer, and so must `n_unwritten`, which counts the
 * writers for which record_writer_flush_pending() would write. */
int record_writer_new(RecordWriter **ret, sd_event *event, const char *cluster,
        const Record *record, uint64_t delay_usec, unsigned *n_unwritten, record_writer_fn fn,
        void *userdata);
RecordWriter *record_writer_free(RecordWriter *writer);
DEFINE_CLEANUP(RecordWriter *, record_writer_free);

/* Writes the record within `delay_usec`, with the content it has at that time. */
void record_writer_schedule(RecordWriter *writer);

/* Resets the back-off: a write that failed is tried again at once, which cannot fail here. */
void record_writer_retry_now(RecordWriter *writer);

/* Writes the record now. Returns 0 if it is on disk; after an error the write is retried. */
int record_writer_write(RecordWriter *writer);

/* Does a scheduled write now. */
void record_writer_flush(RecordWriter *writer);

/* The same, except for a write that failed and waits for its retry. Returns true if a write was
 * tried. */
bool record_writer_flush_pending(RecordWriter *writer);
