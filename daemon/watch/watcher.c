#include "daemon/watch/watcher.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "daemon/model/rule.h"
#include "daemon/watch/dirwatch.h"
#include "daemon/watch/settle.h"

struct Watcher {
        const MaterialConfig *config;
        watcher_fn fn;
        void *userdata;
        WatchStatus status;
        char description[320];
        FileStat stat[_MATERIAL_FILE_MAX];
        DirWatch *watch;
        Settle *settle;
        sd_event_source *poll_timer;

        /* What woke us since the last comparison. */
        bool told;   /* inotify: a name on the way */
        bool mounts; /* the table of mounts */
        bool polled; /* a poll saw a difference */

        bool blind;   /* the last change was missed */
        bool recheck; /* the next poll has the files read whatever stat(2) says */
};

static void describe(Watcher *watch)
{
        watch->status.watching = dirwatch_is_complete(watch->watch) && !watch->blind;
        if (dirwatch_is_complete(watch->watch) && watch->blind)
                text_format(watch->description, sizeof(watch->description),
                        "poll (this path delivers no events: %u changes were found by the poll)",
                        watch->status.missed_events);
        else
                text_set(watch->description, sizeof(watch->description),
                        dirwatch_describe(watch->watch));
        watch->status.watch = watch->description;
}

static void rebuild(Watcher *watch)
{
        CLEANUP(path_walk_done) PathWalk path_walk = PATH_WALK_NULL;

        /* Where a path leads nowhere, what is watched is the place from which it will. */
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                (void)path_walk_add(&path_walk, watch->config->path[i], NULL);
        dirwatch_rebuild(watch->watch, &path_walk);
        describe(watch);
}

static bool files_differ(Watcher *watch)
{
        bool differ = false;

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                FileStat stat = file_stat(watch->config->path[i]);

                differ = differ || !file_stat_equal(&stat, &watch->stat[i]);
                watch->stat[i] = stat;
        }
        watch->status.checked_at_usec = clock_wall_usec();
        return differ;
}

static void note_change(Watcher *watch)
{
        watch->status.changed_usec = clock_boottime_usec();
        watch->status.changed_at_usec = clock_wall_usec();
        watch->recheck = true;
}

static void on_watch(DirWatchEvent news, void *userdata)
{
        Watcher *watch = userdata;

        if (news == DIRWATCH_NAME_CHANGED)
                watch->told = true;
        else
                watch->mounts = true;
        settle_poke(watch->settle);
}

static void on_settled(void *userdata)
{
        Watcher *watch = userdata;
        bool complete = dirwatch_is_complete(watch->watch);

        rebuild(watch);
        if (files_differ(watch))
                note_change(watch);
        if (watch->told)
                watch->blind = false;
        else if (watch->polled && !watch->mounts && complete) {
                watch->blind = true;
                watch->status.missed_events++;
        }
        watch->told = watch->mounts = watch->polled = false;
        describe(watch);
        /* Whatever stat(2) says: another image with equal files may have been mounted, and two writes
         * within one tick of the file system's clock look like one. */
        watch->fn(WATCHER_READ, watch->userdata);
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata)
{
        Watcher *watch = userdata;

        (void)usec;
        watch->status.polled_usec = clock_boottime_usec();
        (void)sd_event_source_set_time_relative(source, watch->config->poll_interval_usec);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        rebuild(watch);
        if (files_differ(watch)) {
                note_change(watch);
                watch->polled = true;
                settle_poke(watch->settle);
        } else if (watch->recheck) {
                watch->recheck = false;
                watch->fn(WATCHER_READ, watch->userdata);
        } else
                watch->fn(WATCHER_UNCHANGED, watch->userdata);
        return 0;
}

int watcher_new(
        Watcher **ret, sd_event *event, const MaterialConfig *config, watcher_fn fn, void *userdata)
{
        CLEANUP(watcher_freep) Watcher *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        *watch = (Watcher){.config = config, .fn = fn, .userdata = userdata};
        r = dirwatch_new(&watch->watch, event, on_watch, watch);
        /* However long the changes go on, they are looked at as often as without any event. */
        if (r == 0)
                r = settle_new(&watch->settle, event, config->settle_usec,
                        config->poll_interval_usec, on_settled, watch);
        /* The slack lets the machine sleep: a poll is for what inotify misses. */
        if (r == 0)
                r = sd_event_add_time_relative(event, &watch->poll_timer, CLOCK_BOOTTIME,
                        config->poll_interval_usec, config->poll_interval_usec / 30, on_poll,
                        watch);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(watch->poll_timer, "lookout-poll");
        rebuild(watch);
        (void)files_differ(watch);
        watch->status.changed_usec = watch->status.polled_usec = clock_boottime_usec();
        watch->recheck = true;
        *ret = TAKE(watch);
        return 0;
}

Watcher *watcher_free(Watcher *watch)
{
        if (!watch)
                return NULL;
        sd_event_source_disable_unref(watch->poll_timer);
        settle_free(watch->settle);
        dirwatch_free(watch->watch);
        free(watch);
        return NULL;
}

const WatchStatus *watcher_status(const Watcher *watch)
{
        return &watch->status;
}

void watcher_request_read(Watcher *watch)
{
        settle_poke(watch->settle);
}
