#include "daemon/status/metrics-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "daemon/config/config.h"

#define METRICS_FILE_PAUSE_USEC USEC_PER_SEC

struct MetricsFile {
        metrics_file_text_fn text_fn;
        metrics_file_error_fn error_fn;
        void *userdata;
        char path[CONFIG_VALUE_MAX];
        sd_event_source *timer;
        uint64_t written_usec; /* boot time; 0: never */
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

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        MetricsFile *file = userdata;
        CLEANUP(freep) char *text = NULL;
        int r;

        file->armed = false;
        file->written_usec = clock_boottime_usec();
        if (file->path[0] == '\0')
                return 0;
        r = file->text_fn(&text, file->userdata);
        if (r == 0)
                r = file_replace_unsynced(file->path, text, strlen(text), 0644);
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
        *file = (MetricsFile){.text_fn = text_fn, .error_fn = error_fn, .userdata = userdata};
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
        free(file);
        return NULL;
}

void metrics_file_set_path(MetricsFile *file, const char *path)
{
        if (strcmp(file->path, path) == 0)
                return;
        if (file->path[0] != '\0')
                (void)unlink(file->path); /* its content would become stale */
        text_set(file->path, sizeof(file->path), path);
        file->error = 0;
        metrics_file_poke(file);
}

void metrics_file_poke(MetricsFile *file)
{
        uint64_t at = file->written_usec + METRICS_FILE_PAUSE_USEC;

        if (file->armed || file->path[0] == '\0')
                return;
        file->armed = true;
        (void)sd_event_source_set_time(file->timer, file->written_usec == 0 ? 0 : at);
        (void)sd_event_source_set_enabled(file->timer, SD_EVENT_ONESHOT);
}
