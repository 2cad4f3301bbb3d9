#include "daemon/watch/watcher.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/watch/dirwatch.h"
#include "daemon/watch/settle.h"

/* What led to a comparison: a bit for each DirWatchEvent, and this one for a poll. */
#define FOUND_BY_POLL (1U << _DIRWATCH_EVENT_MAX)

typedef struct Watcher {
        const WatcherTask *task;
        const MaterialConfig *config;
        sd_event *event;
        WatchReport report;
        DirWatch *dirwatch;
        Settle *settle;
        sd_event_source *poll_timer, *request_source;
        unsigned changes;      /* what led to the next comparison */
        bool missed;           /* the last change raised no event */
        uint64_t read_at_usec; /* wall clock of the last WATCH_READ */
        uint64_t polled_usec;  /* boot time of the last poll */
} Watcher;

static void watcher_done(Watcher *watcher)
{
        sd_event_source_disable_unref(watcher->request_source);
        sd_event_source_disable_unref(watcher->poll_timer);
        settle_free(watcher->settle);
        dirwatch_free(watcher->dirwatch);
        sd_event_unref(watcher->event);
}

/* The socket blocks: a manager that does not read gets no more reports. */
static void send_report(Watcher *watcher, WatchEvent event)
{
        watcher->report.event = event;
        watcher->report.due_usec = event == WATCH_BUSY
                ? clock_boottime_usec()
                : watcher->polled_usec + watch_report_interval_usec(watcher->config);
        if (event == WATCH_READ)
                watcher->read_at_usec = clock_wall_usec();
        if (send(watcher->task->fd, &watcher->report, sizeof(watcher->report), MSG_NOSIGNAL) < 0)
                (void)sd_event_exit(watcher->event, -errno);
}

static void describe(Watcher *watcher)
{
        WatchStatus *status = &watcher->report.status;
        bool complete = dirwatch_is_complete(watcher->dirwatch);

        status->watching = complete && !watcher->missed;
        if (complete && watcher->missed)
                text_format(status->watch, sizeof(status->watch),
                        "poll (this path delivers no events: %u changes were found by the poll)",
                        status->missed_events);
        else
                text_set(
                        status->watch, sizeof(status->watch), dirwatch_describe(watcher->dirwatch));
}

/* Says nothing about a file. Whoever compared it with the next one would find no difference. */
static bool is_shortage(int error)
{
        return error == ENOMEM || error == EMFILE || error == ENFILE;
}

static int rebuild(Watcher *watcher)
{
        CLEANUP(path_walk_done) PathWalk walk = {.progress = watcher->task->progress};

        /* If a path leads to no file, the directory in which it will appear is watched. */
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                int r = path_walk_add(&walk, watcher->config->path[i], NULL);

                if (is_shortage(-r))
                        return r;
        }
        dirwatch_rebuild(watcher->dirwatch, &walk);
        describe(watcher);
        return 0;
}

/* A walk of its own, after the watches are set: what changed before is seen, and each call to the
 * file system counts as progress. Returns 1 if a file has changed, 0 if none has. */
static int compare_files(Watcher *watcher)
{
        CLEANUP(path_walk_done) PathWalk walk = {.progress = watcher->task->progress};
        bool differ = false;

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                PathEnd end;
                int r = path_walk_add(&walk, watcher->config->path[i], &end);
                FileStat file = {.error = -r};

                if (r >= 0)
                        file = file_stat_at(end.directory_fd, end.name);
                if (is_shortage(file.error))
                        return -file.error;
                progress_count(watcher->task->progress);
                differ = differ || !file_stat_equal(&file, &watcher->report.files[i]);
                watcher->report.files[i] = file;
        }
        watcher->report.status.checked_at_usec = clock_wall_usec();
        return differ;
}

static int look(Watcher *watcher)
{
        int r = rebuild(watcher);

        return r < 0 ? r : compare_files(watcher);
}

/* The value of stat(2) before the last read does not exclude a write after it. */
static bool files_are_racy(const Watcher *watcher)
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                if (file_stat_is_racy(&watcher->report.files[i], watcher->read_at_usec))
                        return true;
        return false;
}

static void on_watch(DirWatchEvent change, void *userdata)
{
        Watcher *watcher = userdata;

        watcher->changes |= 1U << change;
        settle_trigger(watcher->settle);
}

static void on_settled(void *userdata)
{
        Watcher *watcher = userdata;
        bool complete = dirwatch_is_complete(watcher->dirwatch);
        int r;

        send_report(watcher, WATCH_BUSY);
        r = look(watcher);
        if (r < 0) {
                (void)sd_event_exit(watcher->event, r);
                return;
        }
        if (r > 0)
                watcher->report.status.changed_at_usec = clock_wall_usec();
        if (watcher->changes & 1U << DIRWATCH_NAME_CHANGED)
                watcher->missed = false;
        else if (watcher->changes == FOUND_BY_POLL && complete) {
                watcher->missed = true;
                watcher->report.status.missed_events++;
        }
        watcher->changes = 0;
        describe(watcher);
        /* Even if stat(2) shows no change: a mounted image may have equal files, and two writes
         * within one tick of the file system's clock look like one. */
        send_report(watcher, WATCH_READ);
}

static void set_poll_timer(Watcher *watcher)
{
        watcher->polled_usec = clock_boottime_usec();
        (void)sd_event_source_set_time_relative(
                watcher->poll_timer, watcher->config->poll_interval_usec);
        (void)sd_event_source_set_enabled(watcher->poll_timer, SD_EVENT_ONESHOT);
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata)
{
        Watcher *watcher = userdata;
        int r;

        set_poll_timer(watcher);
        r = look(watcher);
        if (r < 0)
                return sd_event_exit(watcher->event, r);
        if (r > 0) {
                watcher->report.status.changed_at_usec = clock_wall_usec();
                watcher->changes |= FOUND_BY_POLL;
                settle_trigger(watcher->settle);
        } else
                send_report(watcher, files_are_racy(watcher) ? WATCH_READ : WATCH_UNCHANGED);
        return 0;
}

/* The manager requests to read the files after the next quiet time, or has closed the socket. */
static int on_request(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Watcher *watcher = userdata;
        char request;
        ssize_t n = recv(fd, &request, sizeof(request), MSG_DONTWAIT);

        if (n > 0)
                settle_trigger(watcher->settle);
        else if (n == 0 || errno != EAGAIN)
                return sd_event_exit(watcher->event, 0);
        return 0;
}

static int setup(Watcher *watcher)
{
        const MaterialConfig *config = watcher->config;
        int r = sd_event_new(&watcher->event);

        if (r >= 0)
                r = dirwatch_new(&watcher->dirwatch, watcher->event, watcher->task->progress,
                        on_watch, watcher);
        /* Continuous changes are reported as often as a poll would report them. */
        if (r == 0)
                r = settle_new(&watcher->settle, watcher->event, config->settle_usec,
                        config->poll_interval_usec, on_settled, watcher);
        /* The poll only finds what inotify misses, so its timer has slack to save wake-ups. */
        if (r == 0)
                r = sd_event_add_time_relative(watcher->event, &watcher->poll_timer, CLOCK_BOOTTIME,
                        config->poll_interval_usec, config->poll_interval_usec / 30, on_poll,
                        watcher);
        if (r == 0)
                r = sd_event_add_io(watcher->event, &watcher->request_source, watcher->task->fd,
                        EPOLLIN, on_request, watcher);
        return r < 0 ? r : 0;
}

/* A change while no process watched was missed by none. */
static int begin(Watcher *watcher)
{
        const WatchReport *last = watcher->task->last;
        int r;

        if (last) {
                watcher->report.status = last->status;
                for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                        watcher->report.files[i] = last->files[i];
        }
        r = look(watcher);
        if (r < 0)
                return r;
        if (r > 0 && last)
                watcher->report.status.changed_at_usec = clock_wall_usec();
        set_poll_timer(watcher);
        send_report(watcher, WATCH_READ);
        return 0;
}

int watcher_run(const WatcherTask *task)
{
        CLEANUP(watcher_done) Watcher watcher = {.task = task, .config = task->config};
        int r = setup(&watcher);

        if (r == 0)
                r = begin(&watcher);
        return r < 0 ? r : sd_event_loop(watcher.event);
}
