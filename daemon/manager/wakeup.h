#pragma once

/*
 * Wakeup: calls one handler when something has happened or a time has come.
 *
 * Handlers of events only record a change and request a wakeup. The handler of the wakeup runs
 * after all events of processes and files that are pending, so many changes cause one call, and in
 * turn with the clients of the socket.
 */

#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct Wakeup Wakeup;

typedef void (*wakeup_fn)(void *userdata);

/* The first call comes when the loop starts. */
int wakeup_new(Wakeup **ret, sd_event *event, wakeup_fn fn, void *userdata);
Wakeup *wakeup_free(Wakeup *wakeup);
DEFINE_CLEANUP(Wakeup *, wakeup_free);

/* Requests a call as soon as the pending events are handled. */
void wakeup_request(Wakeup *wakeup);

/* Requests a call at `usec` (boot time) instead of the last such time; USEC_NEVER: at none. */
void wakeup_request_at(Wakeup *wakeup, uint64_t usec);

/* Calls the handler now if a call was requested since the last one began. */
void wakeup_run_requested(Wakeup *wakeup);
