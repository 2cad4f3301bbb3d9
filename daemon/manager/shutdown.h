#pragma once

/*
 * Shutdown: while a stop waits for imports that run, extends the time that systemd gives it
 * (EXTEND_TIMEOUT_USEC=, sd_notify(3)); a manager that hangs is killed when the last extension
 * ends. Each importer is killed at its own deadline; if one survives that, the loop ends anyway.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/manager/inventory.h"

typedef struct Shutdown Shutdown;

/* `inventory` must outlive it. */
int shutdown_new(Shutdown **ret, sd_event *event, const Inventory *inventory);
Shutdown *shutdown_free(Shutdown *shutdown);
DEFINE_CLEANUP(Shutdown *, shutdown_free);
