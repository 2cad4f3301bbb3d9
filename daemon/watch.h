#pragma once

/*
 * Watch: inotify on every directory of a trail; says only "something may have changed".
 *
 * Handlers mark and call; what changed is for the poll's comparison to find out, so coalesced,
 * lost or repeated events do no harm. Events of names that are on no trail are dropped at once.
 * A directory that cannot be watched leaves the rest in place: the reason is told, and the next
 * rebuild tries again.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/trail.h"

typedef struct Watch Watch;

typedef void (*watch_fn)(void *userdata);

int watch_new(Watch **ret, sd_event *event, watch_fn fn, void *userdata);
Watch *watch_free(Watch *watch);
DEFINE_CLEANUP(Watch *, watch_free);

/* Makes the watches those of `trail`, which it takes over. Every file has to be looked at after
 * that: what happened before a watch stood raised no event. */
void watch_rebuild(Watch *watch, Trail *trail);

/* "inotify", or "poll" with the first directory that could not be watched and why. */
const char *watch_describe(const Watch *watch);
