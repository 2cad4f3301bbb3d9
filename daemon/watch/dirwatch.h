#pragma once

/*
 * Directory watch: calls a function when a name on a path or the mount table may have changed.
 *
 * Uses inotify(7) on every directory of a PathWalk, and /proc/self/mountinfo. The caller compares
 * the files to detect what changed, so merged, lost or repeated events do no harm. Events of
 * names that are not on the paths are dropped. If a directory cannot be watched, the others still
 * are; dirwatch_describe() returns the reason, and the next rebuild tries again.
 */

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/watch/path-walk.h"

typedef struct DirWatch DirWatch;

typedef enum DirWatchEvent {
        DIRWATCH_NAME_CHANGED,   /* a name on a path, or its directory */
        DIRWATCH_MOUNTS_CHANGED, /* a mount or unmount, perhaps on a path */
        _DIRWATCH_EVENT_MAX,
} DirWatchEvent;

typedef void (*dirwatch_fn)(DirWatchEvent change, void *userdata);

/* `progress` counts each directory that is watched; NULL: none. */
int dirwatch_new(
        DirWatch **ret, sd_event *event, Progress *progress, dirwatch_fn fn, void *userdata);
DirWatch *dirwatch_free(DirWatch *watch);
DEFINE_CLEANUP(DirWatch *, dirwatch_free);

/* Watches the directories of `walk` instead of those before, and keeps no reference to it. The
 * caller must compare the files afterwards: a change before a watch existed raised no event. */
void dirwatch_rebuild(DirWatch *watch, const PathWalk *walk);

/* Returns true if every directory of the walk is watched. */
bool dirwatch_is_complete(const DirWatch *watch);

/* "inotify", or "poll" with the first directory that cannot be entered or watched and the error. */
const char *dirwatch_describe(const DirWatch *watch);
