#include "daemon/status/metrics-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/config/config.h"

#define METRICS_FILE_PAUSE_USEC    USEC_PER_SEC
#define METRICS_FILE_DEADLINE_USEC (30 * USEC_PER_SEC)

struct MetricsFile {
        metrics_file_text_fn text_fn;
        metrics_file_error_fn error_fn;
        void *userdata;
        char path[CONFIG_VALUE_MAX];
        char former[CONFIG_VALUE_MAX]; /* to be removed; "": none */
        sd_event *event;
        Job *job;   /* writes the file */
        bool moved; /* the path has changed since the job began */
        bool again; /* a write was due meanwhile */
        sd_event_source *timer;
        uint64_t written_usec; /* boot time of the last try; 0: never */
        bool armed;
        int error; /* the error reported last; 0: none */
};

static void report_error(MetricsFile *file, int error)
{
        if (error == file->error)
                return;
        file->error = error;
        file->error_fn(file->path, error, file->userdata);
}

typedef struct WriteTask {
        const char *former, *path, *text; /* "": none */
} WriteTask;

static int run(void *result, const void *task)
{
        const WriteTask *write = task;

        if (write->former[0] != '\0')
                (void)unlink(write->former); /* its content would become stale */
        return write->path[0] != '\0'
                ? file_replace_unsynced(write->path, write->text, strlen(write->text), 0644)
                : 0;
}

static int error_of(JobResult result, int detail)
{
        switch (result) {
        case JOB_DONE:
                return 0;
        case JOB_FAILED:
                return detail;
        case JOB_TIMED_OUT:
        case JOB_STUCK:
                return ETIMEDOUT;
        case JOB_CRASHED:
        case _JOB_RESULT_MAX:
                break;
        }
        return EIO;
}

static void on_end(Job *job, JobResult result, int detail, const void *data, void *userdata)
{
        MetricsFile *file = userdata;

        if (!file->moved)
                report_error(file, error_of(result, detail));
        if (result == JOB_STUCK)
                return;
        file->job = job_free(file->job);
        file->moved = false;
        if (file->again)
                metrics_file_poke(file);
}

static int start(MetricsFile *file)
{
        CLEANUP(freep) char *text = NULL;
        WriteTask task = {.former = file->former, .path = file->path};
        const JobSpec spec = {
                .name = "binlog-metrics",
                .run = run,
                .task = &task,
                .deadline_usec = METRICS_FILE_DEADLINE_USEC,
        };
        int r = file->path[0] != '\0' ? file->text_fn(&text, file->userdata) : 0;

        task.text = text;
        if (r == 0)
                r = job_start(&file->job, file->event, &spec, on_end, file);
        if (r == 0)
                file->former[0] = '\0';
        return r;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        MetricsFile *file = userdata;
        int r;

        file->armed = false;
        file->written_usec = clock_boottime_usec();
        file->again = file->job;
        if (file->job)
                return 0;
        r = start(file);
        if (r < 0)
                report_error(file, -r);
        return 0;
}

int metrics_file_new(MetricsFile **ret, sd_event *event, metrics_file_text_fn text_fn,
        metrics_file_error_fn error_fn, void *userdata)
{
        CLEANUP(metrics_file_freep) MetricsFile *file = calloc(1, sizeof(*file));
        int r;

        if (!file)
                return -ENOMEM;
        *file = (MetricsFile){.text_fn = text_fn,
                .error_fn = error_fn,
                .userdata = userdata,
                .event = sd_event_ref(event)};
        r = sd_event_add_time(event, &file->timer, CLOCK_BOOTTIME, USEC_NEVER, 1, on_timer, file);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(file->timer, "metrics-file");
        *ret = TAKE(file);
        return 0;
}

MetricsFile *metrics_file_free(MetricsFile *file)
{
        if (!file)
                return NULL;
        sd_event_source_disable_unref(file->timer);
        job_free(file->job);
        sd_event_unref(file->event);
        free(file);
        return NULL;
}

void metrics_file_set_path(MetricsFile *file, const char *path)
{
        if (strcmp(file->path, path) == 0)
                return;
        if (file->former[0] == '\0') /* else nothing was written since that one */
                text_set(file->former, sizeof(file->former), file->path);
        text_set(file->path, sizeof(file->path), path);
        file->moved = file->job;
        file->error = 0;
        metrics_file_poke(file);
}

void metrics_file_poke(MetricsFile *file)
{
        uint64_t at = file->written_usec + METRICS_FILE_PAUSE_USEC;

        if (file->armed || (file->path[0] == '\0' && file->former[0] == '\0'))
                return;
        file->armed = true;
        (void)sd_event_source_set_time(file->timer, file->written_usec == 0 ? 0 : at);
        (void)sd_event_source_set_enabled(file->timer, SD_EVENT_ONESHOT);
}
