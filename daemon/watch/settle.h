#pragma once

/*
 * Settle: turns a burst of changes into one call (debouncing).
 *
 * Renewal tools replace certificate, key and chain one after another; reading at the first event
 * would combine a new certificate with an old key (doc/rotation.md, "Write patterns"). So the
 * call is made after a quiet time, but never later than a maximum delay after the first change.
 */

#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct Settle Settle;

typedef void (*settle_fn)(void *userdata);

int settle_new(Settle **ret, sd_event *event, uint64_t quiet_usec, uint64_t max_delay_usec,
        settle_fn fn, void *userdata);
Settle *settle_free(Settle *settle);
DEFINE_CLEANUP(Settle *, settle_free);

/* Reports a change: restarts the quiet time. */
void settle_trigger(Settle *settle);
