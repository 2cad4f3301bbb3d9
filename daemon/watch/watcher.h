#pragma once

/*
 * Lookout: says when the files of a material have to be read.
 *
 * Three things wake it: inotify on the way to each file, the table of mounts, and the poll, which
 * always runs because some changes raise no event at all. Whatever woke it, it waits for silence,
 * makes the watches anew and compares what stat(2) says. What a poll finds and a complete set of
 * watches did not tell by the end of that silence was missed, and is counted.
 *
 * A file system whose clock ticks slowly hides a second write of the same size from stat(2), so
 * the first poll after every change has the files read once more.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/status.h"

typedef struct Watcher Watcher;

typedef enum WatcherEvent {
        WATCHER_READ,      /* read the files */
        WATCHER_UNCHANGED, /* a poll went by and nothing had changed */
} WatcherEvent;

typedef void (*watcher_fn)(WatcherEvent news, void *userdata);

/* `config` must outlive the lookout. What is there at first is for the caller to read at once. */
int watcher_new(Watcher **ret, sd_event *event, const MaterialConfig *config, watcher_fn fn,
        void *userdata);
Watcher *watcher_free(Watcher *watch);
DEFINE_CLEANUP(Watcher *, watcher_free);

const WatchStatus *watcher_status(const Watcher *watch);

/* Asks for another WATCHER_READ after the next silence. */
void watcher_request_read(Watcher *watch);
