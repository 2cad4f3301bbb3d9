#include "daemon/clerk.h"

#include <errno.h>
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
        uint64_t delay_usec;
        clerk_fn fn;
        void *userdata;
        sd_event_source *timer;
        bool waiting;      /* the record is to be written */
        unsigned failures; /* in a row */
        int error;         /* told last */
};

static void write_in(Clerk *clerk, uint64_t usec)
{
        clerk->waiting = true;
        (void)sd_event_source_set_time_relative(clerk->timer, usec);
        (void)sd_event_source_set_enabled(clerk->timer, SD_EVENT_ONESHOT);
}

static void write_now(Clerk *clerk)
{
        int error = -state_save(clerk->cluster, clerk->record);

        clerk->waiting = false;
        (void)sd_event_source_set_enabled(clerk->timer, SD_EVENT_OFF);
        clerk->failures = error == 0 ? 0 : clerk->failures + 1;
        if (error != 0)
                write_in(clerk,
                        backoff_delay_usec(
                                clerk->failures, CLERK_RETRY_MIN_USEC, CLERK_RETRY_MAX_USEC, 0));
        if (error == clerk->error)
                return;
        clerk->error = error;
        clerk->fn(error, clerk->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        write_now(userdata);
        return 0;
}

int clerk_new(Clerk **ret, sd_event *event, const char *cluster, const Record *record,
        uint64_t delay_usec, clerk_fn fn, void *userdata)
{
        CLEANUP(clerk_freep) Clerk *clerk = calloc(1, sizeof(*clerk));
        int r;

        if (!clerk)
                return -ENOMEM;
        *clerk = (Clerk){.cluster = cluster,
                .record = record,
                .delay_usec = delay_usec,
                .fn = fn,
                .userdata = userdata};
        r = sd_event_add_time(event, &clerk->timer, CLOCK_BOOTTIME, 0, 1, on_timer, clerk);
        if (r >= 0)
                r = sd_event_source_set_enabled(clerk->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(clerk->timer, CLERK_PRIORITY);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(clerk->timer, "clerk");
        *ret = TAKE(clerk);
        return 0;
}

Clerk *clerk_free(Clerk *clerk)
{
        if (!clerk)
                return NULL;
        if (clerk->waiting)
                (void)state_save(clerk->cluster, clerk->record);
        sd_event_source_disable_unref(clerk->timer);
        free(clerk);
        return NULL;
}

void clerk_write(Clerk *clerk)
{
        /* What waits already is not put off once more. */
        if (!clerk->waiting || clerk->error != 0)
                write_in(clerk, clerk->delay_usec);
}

void clerk_flush(Clerk *clerk)
{
        if (clerk->waiting)
                write_now(clerk);
}

bool clerk_flush_fresh(Clerk *clerk)
{
        if (!clerk->waiting || clerk->error != 0)
                return false;
        write_now(clerk);
        return true;
}
