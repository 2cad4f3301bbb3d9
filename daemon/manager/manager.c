#include "daemon/manager/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "common/clock.h"
#include "daemon/config/config-load.h"
#include "daemon/config/paths.h"
#include "daemon/manager/inventory.h"
#include "daemon/manager/scheduler.h"
#include "daemon/status/journal-filter.h"
#include "daemon/status/journal.h"
#include "daemon/status/metrics-file.h"
#include "daemon/status/metrics.h"
#include "daemon/status/watchdog.h"
#include "daemon/varlink/methods.h"
#include "daemon/varlink/server.h"

#define STOP_PATIENCE_USEC (10 * USEC_PER_SEC)

struct Manager {
        sd_event *event;
        ManagerOptions options;
        ManagerInfo info;
        Inventory *inventory;
        JournalFilter *journal_filter;
        Metrics *metrics;
        MetricsFile *metrics_file;
        Server *server;
        ManagerOperations operations;
        size_t next_cluster; /* whose turn it is when imports are scarce */
        Watchdog *watchdog;
        sd_event_source *advance_source;
        sd_event_source *retry_timer;
        sd_event_source *stop_timer;
        bool woken; /* something happened that manager_schedule() has not seen yet */
        bool stopping;
        char last_status[SUMMARY_TEXT_MAX]; /* the last STATUS= */
};

static ManagerStatus current_status(void *userdata)
{
        const Manager *manager = userdata;

        return inventory_status(manager->inventory, clock_wall_usec());
}

static void wake(Manager *manager)
{
        manager->woken = true;
        (void)sd_event_source_set_enabled(manager->advance_source, SD_EVENT_ONESHOT);
}

static void publish(Manager *manager, const char *event, const MaterialStatus *material,
        const ClusterStatus *cluster)
{
        ManagerStatus status;

        if (!manager->server || !server_has_subscribers(manager->server))
                return;
        status = current_status(manager);
        methods_publish(manager->server, &status, event, material, cluster);
}

static void send_status(Manager *manager)
{
        ManagerStatus status = current_status(manager);
        char line[SUMMARY_TEXT_MAX];

        summary_line(line, sizeof(line), &status);
        if (strcmp(line, manager->last_status) == 0)
                return;
        memcpy(manager->last_status, line, sizeof(line));
        (void)sd_notifyf(0, "STATUS=%s", line);
}

static void manager_schedule(Manager *manager)
{
        uint64_t earliest;
        bool current;

        manager->woken = false;
        inventory_free_retired(manager->inventory);
        if (manager->stopping) {
                if (inventory_count_importing(manager->inventory) == 0)
                        (void)sd_event_exit(manager->event, 0);
                return;
        }
        earliest = scheduler_start_due(
                manager->inventory, &manager->next_cluster, clock_boottime_usec());
        (void)sd_event_source_set_time(manager->retry_timer, earliest);
        (void)sd_event_source_set_enabled(
                manager->retry_timer, earliest == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
        send_status(manager);
        metrics_file_poke(manager->metrics_file);
        /* A durable write takes its time: one a turn, and none while importers want the processor. */
        if (inventory_count_importing(manager->inventory) == 0 &&
                inventory_flush_one(manager->inventory))
                wake(manager);
        if (manager->options.once && scheduler_is_idle(manager->inventory, &current))
                (void)sd_event_exit(manager->event, current ? 0 : 1);
}

static int on_advance(sd_event_source *source, void *userdata)
{
        (void)source;
        manager_schedule(userdata);
        return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        wake(userdata);
        return 0;
}

static void on_material(Material *material, void *userdata)
{
        Manager *manager = userdata;
        const MaterialStatus *status = material_status(material);

        if (journal_filter_material(manager->journal_filter, status))
                publish(manager, "changed", status, NULL);
        wake(manager);
}

static void on_material_removed(const MaterialStatus *material, void *userdata)
{
        Manager *manager = userdata;

        publish(manager, "removed", material, NULL);
        journal_filter_forget_material(manager->journal_filter, material->config->name);
}

static void on_cluster(
        Cluster *cluster, ClusterEvent cluster_event, const Outcome *outcome, void *userdata)
{
        Manager *manager = userdata;
        const ClusterStatus *status = cluster_status(cluster);

        journal_filter_cluster(status, cluster_event, outcome);
        if (cluster_event == CLUSTER_EVENT_ATTEMPT)
                metrics_count(manager->metrics, status->config->name, outcome->kind,
                        outcome->duration_usec);
        publish(manager, "changed", NULL, status);
        wake(manager);
}

static void on_cluster_removed(const ClusterStatus *cluster, void *userdata)
{
        Manager *manager = userdata;

        publish(manager, "removed", NULL, cluster);
        metrics_forget(manager->metrics, cluster->config->name);
}

static void on_record_unreadable(const char *cluster, int error, void *userdata)
{
        (void)userdata;
        journal_record_unreadable(cluster, error);
}

static bool set_warned(
        const char *material, const char *fingerprint, uint64_t within_usec, void *userdata)
{
        Manager *manager = userdata;

        return inventory_set_warned(manager->inventory, material, fingerprint, within_usec);
}

/* Operations for the calls of the socket. */

static const Config *current_config(void *userdata)
{
        const Manager *manager = userdata;

        return inventory_config(manager->inventory);
}

static void import_now(size_t index, bool force, void *userdata)
{
        Manager *manager = userdata;

        cluster_retry_now(inventory_cluster(manager->inventory, index), force);
        wake(manager);
}

static void schedule(void *userdata)
{
        Manager *manager = userdata;

        if (manager->woken)
                manager_schedule(manager);
}

static int make_metrics(char **ret, void *userdata)
{
        Manager *manager = userdata;
        ManagerStatus status = current_status(manager);

        return metrics_format(ret, manager->metrics, &status, manager->info.version);
}

static void on_exported(const char *path, int error, void *userdata)
{
        (void)userdata;
        journal_metrics_unwritable(path, error);
}

/* All of it or nothing; whatever runs goes on. */
static int reload(ConfigProblem *ret_problem, void *userdata)
{
        Manager *manager = userdata;
        Config *config = NULL;
        int r;

        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                clock_monotonic_usec()); /* sd_notify(3) */
        r = config_load(&config, manager->options.config_path, ret_problem);
        if (r == 0)
                r = inventory_apply(manager->inventory, config);
        if (r == -EINVAL)
                journal_reload_refused(ret_problem);
        else if (r < 0)
                journal_reload_failed(r);
        else {
                manager->info.loaded_at_usec = clock_wall_usec();
                manager->next_cluster = 0;
                metrics_file_set_path(
                        manager->metrics_file, inventory_config(manager->inventory)->metrics_file);
                journal_reloaded(inventory_config(manager->inventory));
                publish(manager, "reloaded", NULL, NULL);
        }
        (void)sd_notify(0, "READY=1");
        wake(manager);
        return r;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        Manager *manager = userdata;
        ConfigProblem problem;

        (void)source;
        (void)info;
        if (!manager->stopping)
                (void)reload(&problem, manager);
        return 0;
}

static int on_stop_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Manager *manager = userdata;

        (void)source;
        (void)usec;
        return sd_event_exit(manager->event, 0);
}

/* No new work; imports that run may end, because an aborted CALL leaves an unknown outcome. */
static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        Manager *manager = userdata;

        (void)source;
        (void)info;
        if (manager->stopping)
                return sd_event_exit(manager->event, 0);
        manager->stopping = true;
        (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
        journal_stopping(inventory_count_importing(manager->inventory));
        manager->server = server_free(manager->server);
        (void)sd_event_add_time_relative(manager->event, &manager->stop_timer, CLOCK_BOOTTIME,
                STOP_PATIENCE_USEC, 0, on_stop_timer, manager);
        wake(manager);
        return 0;
}

static int add_signal(Manager *manager, int number, sd_event_signal_handler_t handler)
{
        return sd_event_add_signal(
                manager->event, NULL, number | SD_EVENT_SIGNAL_PROCMASK, handler, manager);
}

static int setup_loop(Manager *manager)
{
        int r = sd_event_new(&manager->event);

        if (r >= 0)
                r = add_signal(manager, SIGTERM, on_stop);
        if (r >= 0)
                r = add_signal(manager, SIGINT, on_stop);
        if (r >= 0)
                r = add_signal(manager, SIGHUP, on_reload);
        if (r >= 0)
                r = sd_event_add_defer(
                        manager->event, &manager->advance_source, on_advance, manager);
        /* What lies before the loop comes first. */
        if (r >= 0)
                r = sd_event_source_set_priority(
                        manager->advance_source, SD_EVENT_PRIORITY_NORMAL + 10);
        if (r >= 0)
                r = sd_event_add_time(manager->event, &manager->retry_timer, CLOCK_BOOTTIME,
                        USEC_NEVER, 1, on_retry, manager);
        if (r >= 0)
                r = watchdog_new(&manager->watchdog, manager->event, current_status, manager);
        return r < 0 ? r : 0;
}

static int setup_stations(Manager *manager)
{
        InventoryHandlers handlers = {
                .material_changed = on_material,
                .cluster_changed = on_cluster,
                .material_removed = on_material_removed,
                .cluster_removed = on_cluster_removed,
                .record_unreadable = on_record_unreadable,
                .userdata = manager,
        };
        int r = journal_filter_new(&manager->journal_filter, set_warned, manager);

        if (r == 0)
                r = metrics_new(&manager->metrics);
        if (r == 0)
                r = metrics_file_new(
                        &manager->metrics_file, manager->event, make_metrics, on_exported, manager);
        return r == 0 ? inventory_new(&manager->inventory, manager->event, &handlers) : r;
}

static int setup_server(Manager *manager)
{
        char path[PATH_MAX];
        int r = paths_socket(path, sizeof(path));

        if (r < 0)
                return r;
        manager->operations = (ManagerOperations){
                .status = current_status,
                .config = current_config,
                .import_now = import_now,
                .schedule = schedule,
                .reload = reload,
                .metrics = make_metrics,
                .info = &manager->info,
                .userdata = manager,
        };
        r = server_new(&manager->server, manager->event, path, manager->options.version,
                methods_answer, &manager->operations);
        if (r < 0)
                journal_failure(path, r);
        return r;
}

int manager_new(Manager **ret, Config *config, const ManagerOptions *options)
{
        CLEANUP(config_freep) Config *given = config;
        CLEANUP(manager_freep) Manager *manager = calloc(1, sizeof(*manager));
        uint64_t now = clock_wall_usec();
        int r;

        if (!manager)
                return -ENOMEM;
        *manager = (Manager){.options = *options};
        manager->info = (ManagerInfo){.version = options->version,
                .pid = getpid(),
                .started_at_usec = now,
                .loaded_at_usec = now};
        r = setup_loop(manager);
        if (r == 0)
                r = setup_stations(manager);
        if (r == 0 && !options->once)
                r = setup_server(manager);
        if (r == 0)
                r = inventory_apply(manager->inventory, TAKE(given));
        if (r < 0)
                return r;
        metrics_file_set_path(
                manager->metrics_file, inventory_config(manager->inventory)->metrics_file);
        *ret = TAKE(manager);
        return 0;
}

Manager *manager_free(Manager *manager)
{
        if (!manager)
                return NULL;
        watchdog_free(manager->watchdog);
        server_free(manager->server);
        inventory_free(manager->inventory);
        metrics_file_free(manager->metrics_file);
        metrics_free(manager->metrics);
        journal_filter_free(manager->journal_filter);
        sd_event_source_disable_unref(manager->stop_timer);
        sd_event_source_disable_unref(manager->retry_timer);
        sd_event_source_disable_unref(manager->advance_source);
        sd_event_unref(manager->event);
        free(manager);
        return NULL;
}

int manager_run(Manager *manager)
{
        int r;

        journal_started(manager->options.version, inventory_config(manager->inventory));
        (void)sd_notify(0, "READY=1");
        r = sd_event_loop(manager->event);
        inventory_flush(manager->inventory);
        if (r < 0)
                journal_failure("event loop", r);
        return r;
}
