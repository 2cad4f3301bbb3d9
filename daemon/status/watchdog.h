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
#include "daemon/status/summary.h"

/* From the kill of an importer at its deadline to its end. */
#define WATCHDOG_GRACE_USEC (5 * UINT64_C(1000000))

typedef enum WatchdogFault {
        WATCHDOG_NO_FAULT,
        WATCHDOG_POLL_OVERDUE,
        WATCHDOG_IMPORTER_OVERDUE,
        _WATCHDOG_FAULT_MAX,
} WatchdogFault;

/* Pure. `ret_name` is the material or cluster at fault; `now_usec` is boot time. */
WatchdogFault watchdog_find_fault(
        const ManagerStatus *status, uint64_t now_usec, const char **ret_name);

typedef struct Watchdog Watchdog;

typedef ManagerStatus (*watchdog_status_fn)(void *userdata);

/* NULL in `ret`: nobody waits for pings. */
int watchdog_new(Watchdog **ret, sd_event *event, watchdog_status_fn fn, void *userdata);
Watchdog *watchdog_free(Watchdog *watchdog);
DEFINE_CLEANUP(Watchdog *, watchdog_free);
