#pragma once

/*
 * Settle: turn a burst of changes into one call.
 *
 * Renewal tools replace certificate, key and chain one after another; reading at the first event
 * would pair a new certificate with an old key. So the call comes when it was quiet for a while,
 * but never later than a bound counted from the first change.
 */

#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct Settle Settle;

typedef void (*settle_fn)(void *userdata);

/* `quiet_usec` is the silence asked for, `patience_usec` the bound. */
int settle_new(Settle **ret, sd_event *event, uint64_t quiet_usec, uint64_t patience_usec,
        settle_fn fn, void *userdata);
Settle *settle_free(Settle *settle);
DEFINE_CLEANUP(Settle *, settle_free);

void settle_poke(Settle *settle);
