#pragma once

/*
 * Watchdog: pings systemd's watchdog (sd_watchdog_enabled(3)) while the manager does its work, not
 * only while its event loop runs.
 *
 * A timer of the loop sends the pings, so a loop that hangs sends none. No ping is sent while a
 * watch process owes a report, or an importer runs, for longer than its deadline and
 * WATCHDOG_GRACE_USEC. Three pings fit into the time that systemd waits, so a single missing one is
 * harmless, such as after a suspend, when everything is late at once.
 */

#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/status/summary.h"

/* The time from a deadline to what the manager does at it, and to the exit of a killed importer. */
#define WATCHDOG_GRACE_USEC (5 * UINT64_C(1000000))

typedef enum WatchdogFault {
        WATCHDOG_NO_FAULT,
        WATCHDOG_WATCH_OVERDUE,
        WATCHDOG_IMPORTER_OVERDUE,
        _WATCHDOG_FAULT_MAX,
} WatchdogFault;

/* Pure. `ret_name` is the material or cluster at fault; `now_usec` is boot time. */
WatchdogFault watchdog_find_fault(
        const ManagerStatus *status, uint64_t now_usec, const char **ret_name);

typedef struct Watchdog Watchdog;

typedef ManagerStatus (*watchdog_status_fn)(void *userdata);

/* Sets `ret` to NULL if the service has no watchdog. */
int watchdog_new(Watchdog **ret, sd_event *event, watchdog_status_fn fn, void *userdata);
Watchdog *watchdog_free(Watchdog *watchdog);
DEFINE_CLEANUP(Watchdog *, watchdog_free);
