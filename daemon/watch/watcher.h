#pragma once

/*
 * Watcher: reports when the files of a material must be read; runs in the watch process.
 *
 * A process of its own, because every call to a path that another host serves can block for as long
 * as that host is away. It opens no file for reading, and needs neither network nor secret.
 *
 * Inotify events on the path to each file, changes of the mount table, and a poll that finds a
 * difference start a quiet time. After it the watcher rebuilds the watches, compares the results of
 * stat(2) and reports WATCH_READ. The poll always runs, because some changes raise no event
 * (doc/rotation.md, "Silent changes"). A change that only the poll found, although every directory
 * is watched, is counted as missed.
 *
 * Two writes of the same size within one tick of the file system's clock look the same to stat(2)
 * (doc/rotation.md, "stat and time"), so every poll reports WATCH_READ until the files were read
 * later than their own times by more than the coarsest tick.
 */

#include "daemon/config/config.h"
#include "daemon/watch/progress.h"
#include "daemon/watch/watch-report.h"

typedef struct WatcherTask {
        const MaterialConfig *config;
        const WatchReport *last; /* of the process before; NULL: this is the first */
        Progress *progress;
        int fd; /* SOCK_SEQPACKET to the manager: reports, and a byte for each request to read */
} WatcherTask;

/* Reports WATCH_READ once the watches are set, then runs until the manager closes the socket.
 * Returns 0 then, or a negative errno. */
int watcher_run(const WatcherTask *task);
