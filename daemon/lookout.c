#include "daemon/lookout.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/rule.h"
#include "daemon/settle.h"
#include "daemon/stamp.h"
#include "daemon/watch.h"

struct Lookout {
        const MaterialConfig *config;
        lookout_fn fn;
        void *userdata;
        LookoutStatus status;
        char description[320];
        Stamp stamp[_MATERIAL_FILE_MAX];
        Watch *watch;
        Settle *settle;
        sd_event_source *poll_timer;

        /* What woke us since the last comparison. */
        bool told;   /* inotify: a name on the way */
        bool mounts; /* the table of mounts */
        bool polled; /* a poll saw a difference */

        bool blind;   /* the last change was missed */
        bool recheck; /* the next poll has the files read whatever stat(2) says */
};

static void describe(Lookout *lookout)
{
        lookout->status.watching = watch_is_complete(lookout->watch) && !lookout->blind;
        if (watch_is_complete(lookout->watch) && lookout->blind)
                text_format(lookout->description, sizeof(lookout->description),
                        "poll (this path delivers no events: %u changes were found by the poll)",
                        lookout->status.missed_events);
        else
                text_set(lookout->description, sizeof(lookout->description),
                        watch_describe(lookout->watch));
        lookout->status.watch = lookout->description;
}

static void rebuild(Lookout *lookout)
{
        CLEANUP(trail_done) Trail trail = TRAIL_NULL;

        /* Where a path leads nowhere, what is watched is the place from which it will. */
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                (void)trail_add(&trail, lookout->config->path[i], NULL);
        watch_rebuild(lookout->watch, &trail);
        describe(lookout);
}

static bool stamps_differ(Lookout *lookout)
{
        bool differ = false;

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                Stamp stamp = stamp_take(lookout->config->path[i]);

                differ = differ || !stamp_equal(&stamp, &lookout->stamp[i]);
                lookout->stamp[i] = stamp;
        }
        lookout->status.looked_at_usec = clock_wall_usec();
        return differ;
}

static void note_change(Lookout *lookout)
{
        lookout->status.changed_usec = clock_boottime_usec();
        lookout->status.changed_at_usec = clock_wall_usec();
        lookout->recheck = true;
}

static void on_watch(WatchNews news, void *userdata)
{
        Lookout *lookout = userdata;

        if (news == WATCH_NAME_CHANGED)
                lookout->told = true;
        else
                lookout->mounts = true;
        settle_poke(lookout->settle);
}

static void on_settled(void *userdata)
{
        Lookout *lookout = userdata;
        bool complete = watch_is_complete(lookout->watch);

        rebuild(lookout);
        if (stamps_differ(lookout))
                note_change(lookout);
        if (lookout->told)
                lookout->blind = false;
        else if (lookout->polled && !lookout->mounts && complete) {
                lookout->blind = true;
                lookout->status.missed_events++;
        }
        lookout->told = lookout->mounts = lookout->polled = false;
        describe(lookout);
        /* Whatever stat(2) says: another image with equal files may have been mounted, and two writes
         * within one tick of the file system's clock look like one. */
        lookout->fn(LOOKOUT_READ, lookout->userdata);
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata)
{
        Lookout *lookout = userdata;

        (void)usec;
        lookout->status.polled_usec = clock_boottime_usec();
        (void)sd_event_source_set_time_relative(source, lookout->config->poll_interval_usec);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        rebuild(lookout);
        if (stamps_differ(lookout)) {
                note_change(lookout);
                lookout->polled = true;
                settle_poke(lookout->settle);
        } else if (lookout->recheck) {
                lookout->recheck = false;
                lookout->fn(LOOKOUT_READ, lookout->userdata);
        } else
                lookout->fn(LOOKOUT_QUIET, lookout->userdata);
        return 0;
}

int lookout_new(
        Lookout **ret, sd_event *event, const MaterialConfig *config, lookout_fn fn, void *userdata)
{
        CLEANUP(lookout_freep) Lookout *lookout = calloc(1, sizeof(*lookout));
        int r;

        if (!lookout)
                return -ENOMEM;
        *lookout = (Lookout){.config = config, .fn = fn, .userdata = userdata};
        r = watch_new(&lookout->watch, event, on_watch, lookout);
        /* However long the changes go on, they are looked at as often as without any event. */
        if (r == 0)
                r = settle_new(&lookout->settle, event, config->settle_usec,
                        config->poll_interval_usec, on_settled, lookout);
        /* The slack lets the machine sleep: a poll is for what inotify misses. */
        if (r == 0)
                r = sd_event_add_time_relative(event, &lookout->poll_timer, CLOCK_BOOTTIME,
                        config->poll_interval_usec, config->poll_interval_usec / 30, on_poll,
                        lookout);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(lookout->poll_timer, "lookout-poll");
        rebuild(lookout);
        (void)stamps_differ(lookout);
        lookout->status.changed_usec = lookout->status.polled_usec = clock_boottime_usec();
        lookout->recheck = true;
        *ret = TAKE(lookout);
        return 0;
}

Lookout *lookout_free(Lookout *lookout)
{
        if (!lookout)
                return NULL;
        sd_event_source_disable_unref(lookout->poll_timer);
        settle_free(lookout->settle);
        watch_free(lookout->watch);
        free(lookout);
        return NULL;
}

const LookoutStatus *lookout_status(const Lookout *lookout)
{
        return &lookout->status;
}

void lookout_repeat(Lookout *lookout)
{
        settle_poke(lookout->settle);
}
