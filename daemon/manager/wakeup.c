#include "daemon/manager/wakeup.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "common/clock.h"

/* After the handlers of clients and processes. */
#define WAKEUP_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

struct Wakeup {
        wakeup_fn fn;
        void *userdata;
        sd_event_source *deferred;
        sd_event_source *timer;
        bool requested;
};

static void run(Wakeup *wakeup)
{
        wakeup->requested = false;
        wakeup->fn(wakeup->userdata);
}

static int on_deferred(sd_event_source *source, void *userdata)
{
        run(userdata);
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
        r = sd_event_add_defer(event, &wakeup->deferred, on_deferred, wakeup);
        if (r >= 0)
                r = sd_event_source_set_priority(wakeup->deferred, WAKEUP_PRIORITY);
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
        sd_event_source_disable_unref(wakeup->deferred);
        sd_event_source_disable_unref(wakeup->timer);
        free(wakeup);
        return NULL;
}

void wakeup_request(Wakeup *wakeup)
{
        wakeup->requested = true;
        (void)sd_event_source_set_enabled(wakeup->deferred, SD_EVENT_ONESHOT);
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
