#include "daemon/manager/record-writer.h"

#include <errno.h>
#include <time.h>

#include "common/clock.h"
#include "daemon/manager/plan.h"
#include "daemon/model/record.h"

/* A write costs little, and until it succeeds a restart would import again. */
#define RECORD_WRITER_RETRY_MIN_USEC (USEC_PER_SEC)
#define RECORD_WRITER_RETRY_MAX_USEC (USEC_PER_MIN)

/* Behind everything else, also behind the start of an importer. */
#define RECORD_WRITER_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 20)

struct RecordWriter {
        const char *cluster;
        const Record *record;
        uint64_t delay_usec;
        record_writer_fn fn;
        void *userdata;
        sd_event_source *timer;
        bool waiting;      /* the record is to be written */
        unsigned failures; /* in a row */
        int error;         /* told last */
};

static void write_in(RecordWriter *record_writer, uint64_t usec)
{
        record_writer->waiting = true;
        (void)sd_event_source_set_time_relative(record_writer->timer, usec);
        (void)sd_event_source_set_enabled(record_writer->timer, SD_EVENT_ONESHOT);
}

static void write_now(RecordWriter *record_writer)
{
        int error = -record_save(record_writer->cluster, record_writer->record);

        record_writer->waiting = false;
        (void)sd_event_source_set_enabled(record_writer->timer, SD_EVENT_OFF);
        record_writer->failures = error == 0 ? 0 : record_writer->failures + 1;
        if (error != 0)
                write_in(record_writer,
                        plan_backoff_usec(record_writer->failures, RECORD_WRITER_RETRY_MIN_USEC,
                                RECORD_WRITER_RETRY_MAX_USEC, 0));
        if (error == record_writer->error)
                return;
        record_writer->error = error;
        record_writer->fn(error, record_writer->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        write_now(userdata);
        return 0;
}

int record_writer_new(RecordWriter **ret, sd_event *event, const char *cluster,
        const Record *record, uint64_t delay_usec, record_writer_fn fn, void *userdata)
{
        CLEANUP(record_writer_freep)
        RecordWriter *record_writer = calloc(1, sizeof(*record_writer));
        int r;

        if (!record_writer)
                return -ENOMEM;
        *record_writer = (RecordWriter){.cluster = cluster,
                .record = record,
                .delay_usec = delay_usec,
                .fn = fn,
                .userdata = userdata};
        r = sd_event_add_time(
                event, &record_writer->timer, CLOCK_BOOTTIME, 0, 1, on_timer, record_writer);
        if (r >= 0)
                r = sd_event_source_set_enabled(record_writer->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(record_writer->timer, RECORD_WRITER_PRIORITY);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(record_writer->timer, "clerk");
        *ret = TAKE(record_writer);
        return 0;
}

RecordWriter *record_writer_free(RecordWriter *record_writer)
{
        if (!record_writer)
                return NULL;
        if (record_writer->waiting)
                (void)record_save(record_writer->cluster, record_writer->record);
        sd_event_source_disable_unref(record_writer->timer);
        free(record_writer);
        return NULL;
}

void record_writer_schedule(RecordWriter *record_writer)
{
        /* What waits already is not put off once more. */
        if (!record_writer->waiting || record_writer->error != 0)
                write_in(record_writer, record_writer->delay_usec);
}

void record_writer_flush(RecordWriter *record_writer)
{
        if (record_writer->waiting)
                write_now(record_writer);
}

bool record_writer_flush_pending(RecordWriter *record_writer)
{
        if (!record_writer->waiting || record_writer->error != 0)
                return false;
        write_now(record_writer);
        return true;
}
