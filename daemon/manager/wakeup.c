#include "daemon/manager/wakeup.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "common/clock.h"
#include "daemon/varlink/connection.h"

/* After the handlers of processes and files. In turns with the clients, so that no number of calls
 * delays it. */
#define WAKEUP_PRIORITY CONNECTION_PRIORITY

struct Wakeup {
        wakeup_fn fn;
        void *userdata;
        sd_event_source *now; /* a timer that has elapsed, see wakeup_new() */
        sd_event_source *timer;
        bool requested;
        bool pending; /* `now` is enabled */
};

static void run(Wakeup *wakeup)
{
        wakeup->requested = false;
        wakeup->fn(wakeup->userdata);
}

static int on_now(sd_event_source *source, uint64_t usec, void *userdata)
{
        Wakeup *wakeup = userdata;

        wakeup->pending = false;
        run(wakeup);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        wakeup_request(userdata);
        return 0;
}

int wakeup_new(Wakeup **ret, sd_event *event, wakeup_fn fn, void *userdata)
{
        CLEANUP(wakeup_freep) Wakeup *wakeup = calloc(1, sizeof(*wakeup));
        int r;

        if (!wakeup)
                return -ENOMEM;
        *wakeup = (Wakeup){.fn = fn, .userdata = userdata};
        /* sd-event prefers a deferred source to all others of its priority, however often it runs,
         * so it would not take turns with the clients. */
        wakeup->pending = true;
        r = sd_event_add_time(event, &wakeup->now, CLOCK_BOOTTIME, 0, 1, on_now, wakeup);
        if (r >= 0)
                r = sd_event_source_set_priority(wakeup->now, WAKEUP_PRIORITY);
        if (r >= 0)
                r = sd_event_add_time(
                        event, &wakeup->timer, CLOCK_BOOTTIME, USEC_NEVER, 1, on_timer, wakeup);
        if (r < 0)
                return r;
        *ret = TAKE(wakeup);
        return 0;
}

Wakeup *wakeup_free(Wakeup *wakeup)
{
        if (!wakeup)
                return NULL;
        sd_event_source_disable_unref(wakeup->now);
        sd_event_source_disable_unref(wakeup->timer);
        free(wakeup);
        return NULL;
}

void wakeup_request(Wakeup *wakeup)
{
        wakeup->requested = true;
        if (wakeup->pending) /* to set the time again would end its turn */
                return;
        wakeup->pending = true;
        (void)sd_event_source_set_time(wakeup->now, 0);
        (void)sd_event_source_set_enabled(wakeup->now, SD_EVENT_ONESHOT);
}

void wakeup_request_at(Wakeup *wakeup, uint64_t usec)
{
        (void)sd_event_source_set_time(wakeup->timer, usec);
        (void)sd_event_source_set_enabled(wakeup->timer, SD_EVENT_ONESHOT);
}

void wakeup_run_requested(Wakeup *wakeup)
{
        if (wakeup->requested)
                run(wakeup);
}
