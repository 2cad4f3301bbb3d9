#include "daemon/watch/stall.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct Stall {
        const Progress *progress;
        uint32_t count; /* at the last look */
        bool counted;   /* since the answer was due */
        uint64_t grace_usec, limit_usec, deadline_usec;
        sd_event_source *timer;
        stall_fn fn;
        void *userdata;
};

static void set_deadline(Stall *stall, uint64_t usec)
{
        stall->deadline_usec = usec;
        (void)sd_event_source_set_time(stall->timer, usec);
        (void)sd_event_source_set_enabled(
                stall->timer, usec == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Stall *stall = userdata;
        uint32_t count = progress_read(stall->progress);
        StallEvent look = !stall->counted ? STALL_OVERDUE
                : count == stall->count   ? STALL_NO_PROGRESS
                                          : STALL_PROGRESS;

        stall->count = count;
        stall->counted = true;
        set_deadline(stall, clock_boottime_usec() + stall->limit_usec);
        /* The handler may free the stall, which is not used after the call. */
        stall->fn(look, stall->userdata);
        return 0;
}

int stall_new(Stall **ret, sd_event *event, uint64_t grace_usec, uint64_t limit_usec, stall_fn fn,
        void *userdata)
{
        CLEANUP(stall_freep) Stall *stall = calloc(1, sizeof(*stall));
        int r;

        if (!stall)
                return -ENOMEM;
        *stall = (Stall){.grace_usec = grace_usec,
                .limit_usec = limit_usec,
                .deadline_usec = USEC_NEVER,
                .fn = fn,
                .userdata = userdata};
        r = sd_event_add_time(event, &stall->timer, CLOCK_BOOTTIME, USEC_NEVER, 0, on_timer, stall);
        if (r == 0)
                r = sd_event_source_set_enabled(stall->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(stall->timer, "stall");
        *ret = TAKE(stall);
        return 0;
}

Stall *stall_free(Stall *stall)
{
        if (!stall)
                return NULL;
        sd_event_source_disable_unref(stall->timer);
        free(stall);
        return NULL;
}

void stall_expect(Stall *stall, const Progress *progress, uint64_t due_usec)
{
        stall->progress = progress;
        stall->counted = false;
        set_deadline(stall, due_usec + stall->grace_usec);
}

void stall_stop(Stall *stall)
{
        set_deadline(stall, USEC_NEVER);
}

uint64_t stall_deadline_usec(const Stall *stall)
{
        return stall->deadline_usec;
}
