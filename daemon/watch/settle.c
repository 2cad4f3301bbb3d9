#include "daemon/watch/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"

struct Settle {
        sd_event_source *timer;
        uint64_t quiet_usec, max_delay_usec;
        uint64_t first_usec; /* boot time of the first change of the burst; 0: no burst */
        settle_fn fn;
        void *userdata;
};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Settle *settle = userdata;

        settle->first_usec = 0;
        settle->fn(settle->userdata);
        return 0;
}

int settle_new(Settle **ret, sd_event *event, uint64_t quiet_usec, uint64_t max_delay_usec,
        settle_fn fn, void *userdata)
{
        CLEANUP(settle_freep) Settle *settle = calloc(1, sizeof(*settle));
        int r;

        if (!settle)
                return -ENOMEM;
        *settle = (Settle){.quiet_usec = quiet_usec,
                .max_delay_usec = max_delay_usec,
                .fn = fn,
                .userdata = userdata};
        r = sd_event_add_time(event, &settle->timer, CLOCK_BOOTTIME, 0, 1, on_timer, settle);
        if (r == 0)
                r = sd_event_source_set_enabled(settle->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(settle->timer, "settle");
        *ret = TAKE(settle);
        return 0;
}

Settle *settle_free(Settle *settle)
{
        if (!settle)
                return NULL;
        sd_event_source_disable_unref(settle->timer);
        free(settle);
        return NULL;
}

void settle_trigger(Settle *settle)
{
        uint64_t now = clock_boottime_usec();
        uint64_t at = now + settle->quiet_usec;

        if (settle->first_usec == 0)
                settle->first_usec = now;
        if (at > settle->first_usec + settle->max_delay_usec)
                at = settle->first_usec + settle->max_delay_usec;
        (void)sd_event_source_set_time(settle->timer, at);
        (void)sd_event_source_set_enabled(settle->timer, SD_EVENT_ONESHOT);
}
