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
        FileStat files[_MATERIAL_FILE_MAX];
        DirWatch *dirwatch;
        Settle *settle;
        sd_event_source *poll_timer;

        /* Sources of a change since the last comparison. */
        bool name_changed;   /* inotify: a name on a path */
        bool mounts_changed; /* the mount table */
        bool poll_changed;   /* a poll found a difference */

        bool missed;           /* the last change raised no event */
        uint64_t read_at_usec; /* wall clock of the last WATCHER_READ */
};

static void describe(Watcher *watcher)
{
        watcher->status.watching = dirwatch_is_complete(watcher->dirwatch) && !watcher->missed;
        if (dirwatch_is_complete(watcher->dirwatch) && watcher->missed)
                text_format(watcher->description, sizeof(watcher->description),
                        "poll (this path delivers no events: %u changes were found by the poll)",
                        watcher->status.missed_events);
        else
                text_set(watcher->description, sizeof(watcher->description),
                        dirwatch_describe(watcher->dirwatch));
        watcher->status.watch = watcher->description;
}

static void rebuild(Watcher *watcher)
{
        CLEANUP(path_walk_done) PathWalk walk = PATH_WALK_NULL;

        /* If a path leads to no file, the directory in which it will appear is watched. */
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                (void)path_walk_add(&walk, watcher->config->path[i], NULL);
        dirwatch_rebuild(watcher->dirwatch, &walk);
        describe(watcher);
}

static bool files_differ(Watcher *watcher)
{
        bool differ = false;

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                FileStat file = file_stat(watcher->config->path[i]);

                differ = differ || !file_stat_equal(&file, &watcher->files[i]);
                watcher->files[i] = file;
        }
        watcher->status.checked_at_usec = clock_wall_usec();
        return differ;
}

static void record_change(Watcher *watcher)
{
        watcher->status.changed_usec = clock_boottime_usec();
        watcher->status.changed_at_usec = clock_wall_usec();
}

/* The value of stat(2) before the last read does not exclude a write after it. */
static bool files_are_racy(const Watcher *watcher)
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                if (file_stat_is_racy(&watcher->files[i], watcher->read_at_usec))
                        return true;
        return false;
}

static void report_read(Watcher *watcher)
{
        watcher->read_at_usec = clock_wall_usec();
        watcher->fn(WATCHER_READ, watcher->userdata);
}

static void on_watch(DirWatchEvent change, void *userdata)
{
        Watcher *watcher = userdata;

        if (change == DIRWATCH_NAME_CHANGED)
                watcher->name_changed = true;
        else
                watcher->mounts_changed = true;
        settle_trigger(watcher->settle);
}

static void on_settled(void *userdata)
{
        Watcher *watcher = userdata;
        bool complete = dirwatch_is_complete(watcher->dirwatch);

        rebuild(watcher);
        if (files_differ(watcher))
                record_change(watcher);
        if (watcher->name_changed)
                watcher->missed = false;
        else if (watcher->poll_changed && !watcher->mounts_changed && complete) {
                watcher->missed = true;
                watcher->status.missed_events++;
        }
        watcher->name_changed = watcher->mounts_changed = watcher->poll_changed = false;
        describe(watcher);
        /* Even if stat(2) shows no change: a mounted image may have equal files, and two writes
         * within one tick of the file system's clock look like one. */
        report_read(watcher);
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata)
{
        Watcher *watcher = userdata;

        watcher->status.polled_usec = clock_boottime_usec();
        (void)sd_event_source_set_time_relative(source, watcher->config->poll_interval_usec);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        rebuild(watcher);
        if (files_differ(watcher)) {
                record_change(watcher);
                watcher->poll_changed = true;
                settle_trigger(watcher->settle);
        } else if (files_are_racy(watcher))
                report_read(watcher);
        else
                watcher->fn(WATCHER_UNCHANGED, watcher->userdata);
        return 0;
}

int watcher_new(
        Watcher **ret, sd_event *event, const MaterialConfig *config, watcher_fn fn, void *userdata)
{
        CLEANUP(watcher_freep) Watcher *watcher = calloc(1, sizeof(*watcher));
        int r;

        if (!watcher)
                return -ENOMEM;
        *watcher = (Watcher){.config = config, .fn = fn, .userdata = userdata};
        r = dirwatch_new(&watcher->dirwatch, event, on_watch, watcher);
        /* Continuous changes are reported as often as a poll would report them. */
        if (r == 0)
                r = settle_new(&watcher->settle, event, config->settle_usec,
                        config->poll_interval_usec, on_settled, watcher);
        /* The poll only finds what inotify misses, so its timer has slack to save wake-ups. */
        if (r == 0)
                r = sd_event_add_time_relative(event, &watcher->poll_timer, CLOCK_BOOTTIME,
                        config->poll_interval_usec, config->poll_interval_usec / 30, on_poll,
                        watcher);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(watcher->poll_timer, "watcher-poll");
        rebuild(watcher);
        (void)files_differ(watcher);
        watcher->status.changed_usec = watcher->status.polled_usec = clock_boottime_usec();
        watcher->read_at_usec = clock_wall_usec();
        *ret = TAKE(watcher);
        return 0;
}

Watcher *watcher_free(Watcher *watcher)
{
        if (!watcher)
                return NULL;
        sd_event_source_disable_unref(watcher->poll_timer);
        settle_free(watcher->settle);
        dirwatch_free(watcher->dirwatch);
        free(watcher);
        return NULL;
}

const WatchStatus *watcher_status(const Watcher *watcher)
{
        return &watcher->status;
}

void watcher_request_read(Watcher *watcher)
{
        settle_trigger(watcher->settle);
}
