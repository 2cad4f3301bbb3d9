#include "daemon/status/status-line.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "daemon/status/summary.h"

struct StatusLine {
        sd_event_source *timer;
        status_line_status_fn fn;
        void *userdata;
        uint64_t made_usec; /* boot time; 0: never */
        bool armed;
        char text[SUMMARY_TEXT_MAX]; /* the last one */
};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        StatusLine *line = userdata;
        ManagerStatus status = line->fn(line->userdata);
        char text[SUMMARY_TEXT_MAX];

        line->armed = false;
        line->made_usec = clock_boottime_usec();
        summary_line(text, sizeof(text), &status);
        if (strcmp(text, line->text) == 0)
                return 0;
        memcpy(line->text, text, sizeof(text));
        (void)sd_notifyf(0, "STATUS=%s", text);
        return 0;
}

int status_line_new(StatusLine **ret, sd_event *event, status_line_status_fn fn, void *userdata)
{
        CLEANUP(status_line_freep) StatusLine *line = calloc(1, sizeof(*line));
        int r;

        if (!line)
                return -ENOMEM;
        *line = (StatusLine){.fn = fn, .userdata = userdata};
        r = sd_event_add_time(event, &line->timer, CLOCK_BOOTTIME, USEC_NEVER, 1, on_timer, line);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(line->timer, "status-line");
        *ret = TAKE(line);
        return 0;
}

StatusLine *status_line_free(StatusLine *line)
{
        if (!line)
                return NULL;
        sd_event_source_disable_unref(line->timer);
        free(line);
        return NULL;
}

void status_line_poke(StatusLine *line)
{
        if (line->armed)
                return;
        line->armed = true;
        (void)sd_event_source_set_time(
                line->timer, line->made_usec == 0 ? 0 : line->made_usec + STATUS_LINE_PAUSE_USEC);
        (void)sd_event_source_set_enabled(line->timer, SD_EVENT_ONESHOT);
}
