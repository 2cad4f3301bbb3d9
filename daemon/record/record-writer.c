#include "daemon/record/record-writer.h"

#include <errno.h>
#include <time.h>

#include "common/clock.h"
#include "daemon/model/backoff.h"
#include "daemon/record/record-file.h"

/* A write costs little, and until it succeeds a restart would import again. */
#define RECORD_WRITER_RETRY_MIN_USEC (USEC_PER_SEC)
#define RECORD_WRITER_RETRY_MAX_USEC (USEC_PER_MIN)

/* After every other event, including the start of an importer. */
#define RECORD_WRITER_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 20)

struct RecordWriter {
        const char *cluster;
        const Record *record;
        uint64_t delay_usec;
        unsigned *n_unwritten; /* counts `pending` */
        record_writer_fn fn;
        void *userdata;
        sd_event *event;
        /* While a write waits: idle timers of thousands of writers would slow down all others. */
        sd_event_source *timer;
        bool waiting;      /* a write is scheduled, as a first try or as a retry */
        bool pending;      /* as a first try */
        unsigned failures; /* in a row */
        int error;         /* the last one reported to `fn` */
};

static void set_waiting(RecordWriter *writer, bool waiting)
{
        bool pending = waiting && writer->error == 0;

        *writer->n_unwritten += (unsigned)pending - (unsigned)writer->pending;
        writer->waiting = waiting;
        writer->pending = pending;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void write_in(RecordWriter *writer, uint64_t usec)
{
        set_waiting(writer, true);
        writer->timer = sd_event_source_disable_unref(writer->timer);
        if (sd_event_add_time_relative(
                    writer->event, &writer->timer, CLOCK_BOOTTIME, usec, 1, on_timer, writer) < 0)
                return; /* the next change, or the end of the writer, writes it */
        (void)sd_event_source_set_priority(writer->timer, RECORD_WRITER_PRIORITY);
        (void)sd_event_source_set_description(writer->timer, "record-writer");
}

static void write_now(RecordWriter *writer)
{
        int error = -record_save(writer->cluster, writer->record);
        bool changed = error != writer->error;

        writer->error = error;
        set_waiting(writer, false);
        writer->timer = sd_event_source_disable_unref(writer->timer);
        writer->failures = error == 0 ? 0 : writer->failures + 1;
        if (error != 0)
                write_in(writer,
                        backoff_usec(writer->failures, RECORD_WRITER_RETRY_MIN_USEC,
                                RECORD_WRITER_RETRY_MAX_USEC, 0));
        if (changed)
                writer->fn(error, writer->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        write_now(userdata);
        return 0;
}

int record_writer_new(RecordWriter **ret, sd_event *event, const char *cluster,
        const Record *record, uint64_t delay_usec, unsigned *n_unwritten, record_writer_fn fn,
        void *userdata)
{
        RecordWriter *writer = calloc(1, sizeof(*writer));

        if (!writer)
                return -ENOMEM;
        *writer = (RecordWriter){.event = sd_event_ref(event),
                .cluster = cluster,
                .record = record,
                .delay_usec = delay_usec,
                .n_unwritten = n_unwritten,
                .fn = fn,
                .userdata = userdata};
        *ret = writer;
        return 0;
}

RecordWriter *record_writer_free(RecordWriter *writer)
{
        if (!writer)
                return NULL;
        if (writer->waiting)
                (void)record_save(writer->cluster, writer->record);
        set_waiting(writer, false);
        sd_event_source_disable_unref(writer->timer);
        sd_event_unref(writer->event);
        free(writer);
        return NULL;
}

void record_writer_schedule(RecordWriter *writer)
{
        /* A write that is scheduled already is not delayed further. */
        if (!writer->waiting || writer->error != 0)
                write_in(writer, writer->delay_usec);
}

void record_writer_retry_now(RecordWriter *writer)
{
        writer->failures = 0;
        if (writer->waiting && writer->error != 0)
                write_in(writer, 0);
}

int record_writer_write(RecordWriter *writer)
{
        write_now(writer);
        return -writer->error;
}

void record_writer_flush(RecordWriter *writer)
{
        if (writer->waiting)
                write_now(writer);
}

bool record_writer_flush_pending(RecordWriter *writer)
{
        if (!writer->pending)
                return false;
        write_now(writer);
        return true;
}
