#pragma once

/*
 * Watch: inotify on every directory of a trail, and the table of mounts; says only "something may
 * have changed".
 *
 * Handlers mark and call; what changed is for a comparison to find out, so coalesced, lost or
 * repeated events do no harm. Events of names that are on no trail are dropped at once. A
 * directory that cannot be watched leaves the rest in place: the reason is told, and the next
 * rebuild tries again.
 */

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/watch/path-walk.h"

typedef struct DirWatch DirWatch;

typedef enum DirWatchEvent {
        DIRWATCH_NAME_CHANGED,   /* a name on the trail, or the directory that holds it */
        DIRWATCH_MOUNTS_CHANGED, /* something was mounted or unmounted, perhaps on the trail */
} DirWatchEvent;

typedef void (*dirwatch_fn)(DirWatchEvent news, void *userdata);

int dirwatch_new(DirWatch **ret, sd_event *event, dirwatch_fn fn, void *userdata);
DirWatch *dirwatch_free(DirWatch *watch);
DEFINE_CLEANUP(DirWatch *, dirwatch_free);

/* Makes the watches those of `trail`, and keeps nothing of it. Every file has to be looked at
 * after that: what happened before a watch stood raised no event. */
void dirwatch_rebuild(DirWatch *watch, const PathWalk *path_walk);

/* Every directory on the trail is watched. */
bool dirwatch_is_complete(const DirWatch *watch);

/* "inotify", or "poll" with the first directory that could not be entered or watched and why. */
const char *dirwatch_describe(const DirWatch *watch);
