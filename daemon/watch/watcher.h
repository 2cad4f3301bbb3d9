#pragma once

/*
 * Watcher: reports when the files of a material must be read.
 *
 * Inotify events on the path to each file, changes of the mount table, and a poll that finds a
 * difference start a quiet time. After it the watcher rebuilds the watches, compares the results of
 * stat(2) and reports WATCHER_READ. The poll always runs, because some changes raise no event
 * (doc/rotation.md, "Silent changes"). A change that only the poll found, although every directory
 * is watched, is counted as missed.
 *
 * Two writes of the same size within one tick of the file system's clock look the same to stat(2)
 * (doc/rotation.md, "stat and time"), so every poll reports WATCHER_READ until the files were read
 * later than their own times by more than the coarsest tick.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/status.h"

typedef struct Watcher Watcher;

typedef enum WatcherEvent {
        WATCHER_READ,      /* read the files */
        WATCHER_UNCHANGED, /* a poll found no change */
} WatcherEvent;

typedef void (*watcher_fn)(WatcherEvent event, void *userdata);

/* `config` must outlive the watcher. The caller reads the files once after this call; only
 * changes are reported. */
int watcher_new(Watcher **ret, sd_event *event, const MaterialConfig *config, watcher_fn fn,
        void *userdata);
Watcher *watcher_free(Watcher *watcher);
DEFINE_CLEANUP(Watcher *, watcher_free);

const WatchStatus *watcher_status(const Watcher *watcher);

/* Requests a WATCHER_READ after the next quiet time. */
void watcher_request_read(Watcher *watcher);
