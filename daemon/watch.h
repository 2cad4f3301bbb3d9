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
#include "daemon/trail.h"

typedef struct Watch Watch;

typedef enum WatchNews {
        WATCH_NAME_CHANGED,   /* a name on the trail, or the directory that holds it */
        WATCH_MOUNTS_CHANGED, /* something was mounted or unmounted, perhaps on the trail */
} WatchNews;

typedef void (*watch_fn)(WatchNews news, void *userdata);

int watch_new(Watch **ret, sd_event *event, watch_fn fn, void *userdata);
Watch *watch_free(Watch *watch);
DEFINE_CLEANUP(Watch *, watch_free);

/* Makes the watches those of `trail`, and keeps nothing of it. Every file has to be looked at
 * after that: what happened before a watch stood raised no event. */
void watch_rebuild(Watch *watch, const Trail *trail);

/* Every directory on the trail is watched. */
bool watch_is_complete(const Watch *watch);

/* "inotify", or "poll" with the first directory that could not be entered or watched and why. */
const char *watch_describe(const Watch *watch);
