#include "daemon/manager/shutdown.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/clock.h"

/* The extension of the unit's TimeoutStopSec, and the time after which it is extended again. */
#define SHUTDOWN_EXTEND_USEC (30 * USEC_PER_SEC)
#define SHUTDOWN_REPEAT_USEC (10 * USEC_PER_SEC)

/* The time from the kill of the last importer at its deadline to the end of the loop. */
#define SHUTDOWN_GRACE_USEC (5 * USEC_PER_SEC)

struct Shutdown {
        sd_event *event;
        const Inventory *inventory;
        sd_event_source *timer;
};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        const Shutdown *shutdown = userdata;
        uint64_t now = clock_boottime_usec();
        uint64_t deadline =
                inventory_import_deadline_usec(shutdown->inventory) + SHUTDOWN_GRACE_USEC;

        if (now >= deadline)
                return sd_event_exit(shutdown->event, 0);
        (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, SHUTDOWN_EXTEND_USEC);
        (void)sd_event_source_set_time(source,
                deadline - now < SHUTDOWN_REPEAT_USEC ? deadline : now + SHUTDOWN_REPEAT_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int shutdown_new(Shutdown **ret, sd_event *event, const Inventory *inventory)
{
        CLEANUP(shutdown_freep) Shutdown *shutdown = calloc(1, sizeof(*shutdown));
        int r;

        if (!shutdown)
                return -ENOMEM;
        *shutdown = (Shutdown){.event = sd_event_ref(event), .inventory = inventory};
        r = sd_event_add_time_relative(
                event, &shutdown->timer, CLOCK_BOOTTIME, 0, 0, on_timer, shutdown);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(shutdown->timer, "shutdown");
        *ret = TAKE(shutdown);
        return 0;
}

Shutdown *shutdown_free(Shutdown *shutdown)
{
        if (!shutdown)
                return NULL;
        sd_event_source_disable_unref(shutdown->timer);
        sd_event_unref(shutdown->event);
        free(shutdown);
        return NULL;
}
