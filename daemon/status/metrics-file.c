#include "daemon/status/metrics-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "daemon/config/settings.h"

#define METRICS_FILE_PAUSE_USEC USEC_PER_SEC

struct MetricsFile {
        metrics_file_text_fn text_fn;
        metrics_file_error_fn told_fn;
        void *userdata;
        char path[CONFIG_VALUE_MAX];
        sd_event_source *timer;
        uint64_t written_usec; /* boot time; 0: never */
        bool armed;
        int told; /* the error told last */
};

static void tell(MetricsFile *metrics_file, int error)
{
        if (error == metrics_file->told)
                return;
        metrics_file->told = error;
        metrics_file->told_fn(metrics_file->path, error, metrics_file->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        MetricsFile *metrics_file = userdata;
        CLEANUP(freep) char *text = NULL;
        int r;

        (void)source;
        (void)usec;
        metrics_file->armed = false;
        metrics_file->written_usec = clock_boottime_usec();
        if (metrics_file->path[0] == '\0')
                return 0;
        r = metrics_file->text_fn(&text, metrics_file->userdata);
        if (r == 0)
                r = file_replace_unsynced(metrics_file->path, text, strlen(text), 0644);
        tell(metrics_file, -r);
        return 0;
}

int metrics_file_new(MetricsFile **ret, sd_event *event, metrics_file_text_fn text_fn,
        metrics_file_error_fn told_fn, void *userdata)
{
        CLEANUP(metrics_file_freep) MetricsFile *metrics_file = calloc(1, sizeof(*metrics_file));
        int r;

        if (!metrics_file)
                return -ENOMEM;
        *metrics_file = (MetricsFile){.text_fn = text_fn, .told_fn = told_fn, .userdata = userdata};
        r = sd_event_add_time(
                event, &metrics_file->timer, CLOCK_BOOTTIME, 0, 1, on_timer, metrics_file);
        if (r >= 0)
                r = sd_event_source_set_enabled(metrics_file->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(metrics_file->timer, "exporter");
        *ret = TAKE(metrics_file);
        return 0;
}

MetricsFile *metrics_file_free(MetricsFile *metrics_file)
{
        if (!metrics_file)
                return NULL;
        sd_event_source_disable_unref(metrics_file->timer);
        free(metrics_file);
        return NULL;
}

void metrics_file_set_path(MetricsFile *metrics_file, const char *path)
{
        if (strcmp(metrics_file->path, path) == 0)
                return;
        if (metrics_file->path[0] != '\0')
                (void)unlink(metrics_file->path); /* nobody keeps it current any more */
        text_set(metrics_file->path, sizeof(metrics_file->path), path);
        metrics_file->told = 0;
        metrics_file_poke(metrics_file);
}

void metrics_file_poke(MetricsFile *metrics_file)
{
        uint64_t at = metrics_file->written_usec + METRICS_FILE_PAUSE_USEC;

        if (metrics_file->armed || metrics_file->path[0] == '\0')
                return;
        metrics_file->armed = true;
        (void)sd_event_source_set_time(
                metrics_file->timer, metrics_file->written_usec == 0 ? 0 : at);
        (void)sd_event_source_set_enabled(metrics_file->timer, SD_EVENT_ONESHOT);
}
