#include "daemon/status/watchdog.h"

#include <errno.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "daemon/status/journal.h"

struct Watchdog {
        sd_event_source *timer;
        uint64_t interval_usec;
        unsigned n_faults; /* timer events in a row that found a fault */
        watchdog_status_fn fn;
        void *userdata;
};

WatchdogFault watchdog_find_fault(
        const ManagerStatus *status, uint64_t now_usec, const char **ret_name)
{
        for (size_t i = 0; i < status->n_materials; i++) {
                const MaterialStatus *material = status->materials[i];

                *ret_name = material->config->name;
                if (material->watch_process->deadline_usec != USEC_NEVER &&
                        now_usec > material->watch_process->deadline_usec + WATCHDOG_GRACE_USEC)
                        return WATCHDOG_WATCH_OVERDUE;
        }
        for (size_t i = 0; i < status->n_clusters; i++) {
                const ClusterStatus *cluster = status->clusters[i];

                *ret_name = cluster->config->name;
                if (cluster->deadline_usec > 0 &&
                        now_usec > cluster->deadline_usec + WATCHDOG_GRACE_USEC)
                        return WATCHDOG_IMPORTER_OVERDUE;
        }
        *ret_name = NULL;
        return WATCHDOG_NO_FAULT;
}

static void log_fault(WatchdogFault fault, const char *name)
{
        if (fault == WATCHDOG_WATCH_OVERDUE)
                journal_watchdog_stopped(name, NULL, "a watch process outlived its deadline");
        else
                journal_watchdog_stopped(NULL, name, "an importer outlived its deadline");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Watchdog *watchdog = userdata;
        ManagerStatus status = watchdog->fn(watchdog->userdata);
        const char *name;
        WatchdogFault fault = watchdog_find_fault(&status, clock_boottime_usec(), &name);

        (void)sd_event_source_set_time_relative(source, watchdog->interval_usec);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        watchdog->n_faults = fault == WATCHDOG_NO_FAULT ? 0 : watchdog->n_faults + 1;
        if (watchdog->n_faults == 0)
                (void)sd_notify(0, "WATCHDOG=1");
        else if (watchdog->n_faults == 2)
                log_fault(fault, name);
        return 0;
}

int watchdog_new(Watchdog **ret, sd_event *event, watchdog_status_fn fn, void *userdata)
{
        CLEANUP(watchdog_freep) Watchdog *watchdog = NULL;
        uint64_t timeout_usec;
        int r = sd_watchdog_enabled(0, &timeout_usec);

        *ret = NULL;
        if (r <= 0)
                return r;
        watchdog = calloc(1, sizeof(*watchdog));
        if (!watchdog)
                return -ENOMEM;
        *watchdog = (Watchdog){.interval_usec = timeout_usec / 3, .fn = fn, .userdata = userdata};
        r = sd_event_add_time_relative(event, &watchdog->timer, CLOCK_BOOTTIME,
                watchdog->interval_usec, watchdog->interval_usec / 10, on_timer, watchdog);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(watchdog->timer, "watchdog");
        *ret = TAKE(watchdog);
        return 0;
}

Watchdog *watchdog_free(Watchdog *watchdog)
{
        if (!watchdog)
                return NULL;
        sd_event_source_disable_unref(watchdog->timer);
        free(watchdog);
        return NULL;
}
