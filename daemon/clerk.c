#include "daemon/clerk.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "common/backoff.h"
#include "common/clock.h"
#include "daemon/state.h"

/* A write costs little, and until it succeeds a restart would import again. */
#define CLERK_RETRY_MIN_USEC (USEC_PER_SEC)
#define CLERK_RETRY_MAX_USEC (USEC_PER_MIN)

/* Behind everything else, also behind the start of an importer. */
#define CLERK_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 20)

struct Clerk {
        const char *cluster;
        const Record *record;
        clerk_fn fn;
        void *userdata;
        sd_event_source *write_source;
        sd_event_source *retry_timer;
        bool waiting;      /* the record is to be written */
        unsigned failures; /* in a row */
        int error;         /* told last */
};

static void write_now(Clerk *clerk)
{
        int error = -state_save(clerk->cluster, clerk->record);

        clerk->waiting = false;
        if (error == 0) {
                clerk->failures = 0;
                (void)sd_event_source_set_enabled(clerk->retry_timer, SD_EVENT_OFF);
        } else {
                clerk->failures++;
                (void)sd_event_source_set_time_relative(clerk->retry_timer,
                        backoff_delay_usec(
                                clerk->failures, CLERK_RETRY_MIN_USEC, CLERK_RETRY_MAX_USEC, 0));
                (void)sd_event_source_set_enabled(clerk->retry_timer, SD_EVENT_ONESHOT);
        }
        if (error == clerk->error)
                return;
        clerk->error = error;
        clerk->fn(error, clerk->userdata);
}

static int on_turn(sd_event_source *source, void *userdata)
{
        (void)source;
        clerk_flush(userdata);
        return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        clerk_write(userdata);
        return 0;
}

int clerk_new(Clerk **ret, sd_event *event, const char *cluster, const Record *record, clerk_fn fn,
        void *userdata)
{
        CLEANUP(clerk_freep) Clerk *clerk = calloc(1, sizeof(*clerk));
        int r;

        if (!clerk)
                return -ENOMEM;
        *clerk = (Clerk){.cluster = cluster, .record = record, .fn = fn, .userdata = userdata};
        r = sd_event_add_time(
                event, &clerk->retry_timer, CLOCK_BOOTTIME, 0, USEC_PER_SEC, on_retry, clerk);
        if (r >= 0)
                r = sd_event_source_set_enabled(clerk->retry_timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &clerk->write_source, on_turn, clerk);
        if (r >= 0)
                r = sd_event_source_set_enabled(clerk->write_source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(clerk->write_source, CLERK_PRIORITY);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(clerk->retry_timer, "clerk-retry");
        (void)sd_event_source_set_description(clerk->write_source, "clerk-write");
        *ret = TAKE(clerk);
        return 0;
}

Clerk *clerk_free(Clerk *clerk)
{
        if (!clerk)
                return NULL;
        if (clerk->waiting || clerk->error != 0)
                (void)state_save(clerk->cluster, clerk->record);
        sd_event_source_disable_unref(clerk->write_source);
        sd_event_source_disable_unref(clerk->retry_timer);
        free(clerk);
        return NULL;
}

void clerk_write(Clerk *clerk)
{
        clerk->waiting = true;
        (void)sd_event_source_set_enabled(clerk->write_source, SD_EVENT_ONESHOT);
}

void clerk_flush(Clerk *clerk)
{
        if (clerk->waiting)
                write_now(clerk);
}
