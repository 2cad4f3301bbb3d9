#pragma once

/*
 * Pulse: the ping for systemd's watchdog (sd_watchdog_enabled(3)), which says that the work is
 * done and not only that the loop turns.
 *
 * It comes from a timer of the loop, so a loop that stalls sends none. It is left out while the
 * poll of a material is overdue by a whole period, or an importer has outlived its deadline and
 * the kill that followed. There are three pings in the time that systemd waits, so one that is
 * left out because everything was late at once, after a suspend say, costs nothing.
 */

#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/summary.h"

/* From the kill of an importer at its deadline to its end. */
#define PULSE_GRACE_USEC (5 * UINT64_C(1000000))

typedef enum PulseFault {
        PULSE_NO_FAULT,
        PULSE_POLL_OVERDUE,
        PULSE_IMPORTER_OVERDUE,
        _PULSE_FAULT_MAX,
} PulseFault;

/* Pure. `ret_name` is the material or cluster at fault; `now_usec` is boot time. */
PulseFault pulse_find_fault(const Model *model, uint64_t now_usec, const char **ret_name);

typedef struct Pulse Pulse;

typedef Model (*pulse_model_fn)(void *userdata);

/* NULL in `ret`: nobody waits for pings. */
int pulse_new(Pulse **ret, sd_event *event, pulse_model_fn fn, void *userdata);
Pulse *pulse_free(Pulse *pulse);
DEFINE_CLEANUP(Pulse *, pulse_free);
