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
#include "common/job.h"
#include "daemon/cluster/cluster-start.h"
#include "daemon/config/paths.h"
#include "daemon/manager/cluster-probes.h"
#include "daemon/manager/inventory.h"
#include "daemon/manager/reload.h"
#include "daemon/manager/scheduler.h"
#include "daemon/manager/shutdown.h"
#include "daemon/manager/wakeup.h"
#include "daemon/status/journal-filter.h"
#include "daemon/status/journal.h"
#include "daemon/status/metrics-file.h"
#include "daemon/status/metrics.h"
#include "daemon/status/status-line.h"
#include "daemon/status/watchdog.h"
#include "daemon/varlink/methods.h"
#include "daemon/varlink/server.h"

#define MANAGER_REAP_USEC (1 * USEC_PER_SEC)

/* A client that starts the service (sd_listen_fds(3)) would be told what is not known yet. So the
 * first clients wait for the first inspection of each material, but not for a slow file system. */
#define MANAGER_HOLD_USEC (2 * USEC_PER_SEC)

struct Manager {
        sd_event *event;
        ManagerOptions options;
        ManagerInfo info;
        Inventory *inventory;
        Scheduler *scheduler;
        Reload *reload;
        JournalFilter *filter;
        Metrics *metrics;
        MetricsFile *metrics_file;
        ClusterProbes *probes;
        Server *server;
        ManagerOperations operations;
        Watchdog *watchdog;
        StatusLine *status_line;
        Wakeup *wakeup;
        Shutdown *shutdown;
        bool stopping;
};

static ManagerStatus current_status(void *userdata)
{
        const Manager *manager = userdata;
        ManagerStatus status = inventory_status(manager->inventory, clock_wall_usec());

        status.refused = manager->reload ? reload_refused(manager->reload) : NULL;
        return status;
}

/* To the subscribers and the metrics file. `of_cluster`: the material of the cluster in force. */
static void publish(Manager *manager, const char *event, const MaterialStatus *material,
        const ClusterStatus *cluster, const MaterialStatus *of_cluster)
{
        metrics_file_poke(manager->metrics_file);
        if (manager->server && server_has_subscribers(manager->server))
                methods_publish(manager->server, event, material, cluster, of_cluster);
}

static void schedule(void *userdata)
{
        Manager *manager = userdata;
        bool current;

        if (inventory_free_gone(manager->inventory))
                wakeup_request(manager->wakeup);
        if (manager->stopping) {
                inventory_flush(manager->inventory);
                if (inventory_counts(manager->inventory)->n_importing == 0)
                        (void)sd_event_exit(manager->event, 0);
                return;
        }
        wakeup_request_at(
                manager->wakeup, scheduler_start_due(manager->scheduler, clock_boottime_usec()));
        status_line_poke(manager->status_line);
        if (manager->server && server_is_held(manager->server) &&
                inventory_is_inspected(manager->inventory))
                server_accept(manager->server);
        /* A durable write blocks the loop: one at a time, and none while imports run. */
        if (inventory_counts(manager->inventory)->n_importing == 0 &&
                inventory_flush_one(manager->inventory))
                wakeup_request(manager->wakeup);
        if (manager->options.once && !reload_is_running(manager->reload) &&
                scheduler_is_idle(manager->scheduler, &current))
                (void)sd_event_exit(manager->event, current ? 0 : 1);
}

static void on_material(Material *material, void *userdata)
{
        Manager *manager = userdata;
        const MaterialStatus *status = material_status(material);

        metrics_file_poke(manager->metrics_file); /* after each poll, as a sign of life */
        inventory_adopt_set(manager->inventory, material);
        if (journal_filter_material(manager->filter, status))
                publish(manager, "changed", status, NULL, NULL);
        scheduler_mark_material(manager->scheduler, material);
        wakeup_request(manager->wakeup);
}

static void on_material_removed(const MaterialStatus *material, void *userdata)
{
        Manager *manager = userdata;

        publish(manager, "removed", material, NULL, NULL);
        journal_filter_forget_material(manager->filter, material->config->name);
}

static void on_cluster(Cluster *cluster, ClusterEvent event, const Outcome *outcome, void *userdata)
{
        Manager *manager = userdata;
        const ClusterStatus *status = cluster_status(cluster);
        size_t index;

        wakeup_request(manager->wakeup);
        journal_filter_cluster(status, event, outcome);
        if (event == CLUSTER_EVENT_ATTEMPT)
                metrics_count(manager->metrics, status->config->name, outcome->kind,
                        outcome->duration_usec);
        if (!inventory_find(manager->inventory, cluster, &index))
                return;
        if (event == CLUSTER_EVENT_END)
                scheduler_mark(manager->scheduler, index);
        else
                publish(manager, "changed", NULL, status,
                        material_status(inventory_material_of(manager->inventory, index)));
}

static void on_cluster_removed(const ClusterStatus *cluster, void *userdata)
{
        Manager *manager = userdata;

        publish(manager, "removed", NULL, cluster, NULL);
        metrics_forget(manager->metrics, cluster->config->name);
}

static void on_record_unreadable(const char *cluster, int error, void *userdata)
{
        journal_record_unreadable(cluster, error);
}

static bool set_warned(
        const char *material, const char *fingerprint, uint64_t within_usec, void *userdata)
{
        Manager *manager = userdata;

        return inventory_set_warned(manager->inventory, material, fingerprint, within_usec);
}

/* Operations of varlink/methods. */

static const Config *current_config(void *userdata)
{
        const Manager *manager = userdata;

        return inventory_config(manager->inventory);
}

static void import_now(size_t index, bool by_hand, bool force, void *userdata)
{
        Manager *manager = userdata;
        Cluster *cluster = inventory_cluster(manager->inventory, index);

        if (by_hand)
                cluster_release(cluster);
        cluster_retry_now(cluster, force);
        scheduler_mark(manager->scheduler, index);
        wakeup_request(manager->wakeup);
}

static bool can_remove(size_t index, void *userdata)
{
        const Manager *manager = userdata;

        return cluster_can_remove(inventory_cluster(manager->inventory, index));
}

static void remove_material(size_t index, void *userdata)
{
        Manager *manager = userdata;

        cluster_remove(inventory_cluster(manager->inventory, index));
        scheduler_mark(manager->scheduler, index);
        wakeup_request(manager->wakeup);
}

static void run_requested(void *userdata)
{
        Manager *manager = userdata;

        wakeup_run_requested(manager->wakeup);
}

static int make_metrics(char **ret, void *userdata)
{
        Manager *manager = userdata;
        ManagerStatus status = current_status(manager);

        return metrics_format(ret, manager->metrics, &status, manager->info.version);
}

static void on_metrics_error(const char *path, int error, void *userdata)
{
        journal_metrics_unwritable(path, error);
}

/* Imports that run are not interrupted. */
static void reload(void *userdata)
{
        Manager *manager = userdata;

        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                clock_monotonic_usec()); /* sd_notify(3) */
        reload_request(manager->reload);
}

static int try_reload(ConfigProblem *ret_problem, void *userdata)
{
        const Manager *manager = userdata;

        return reload_try(manager->reload, ret_problem);
}

static void on_reload_ended(int r, void *userdata)
{
        Manager *manager = userdata;
        const ConfigProblem *problem = reload_refused(manager->reload);
        const Config *config = inventory_config(manager->inventory);

        if (r == -EINVAL)
                journal_reload_refused(problem);
        else if (r < 0)
                journal_reload_failed(r);
        else {
                manager->info.loaded_at_usec = clock_wall_usec();
                manager->info.generation++;
                scheduler_reset(manager->scheduler);
                metrics_file_set_path(manager->metrics_file, config->metrics_file);
                journal_reloaded(config);
                publish(manager, "reloaded", NULL, NULL, NULL);
        }
        (void)sd_notify(0, "READY=1");
        wakeup_request(manager->wakeup);
        if (manager->server)
                methods_answer_reload(manager->server, r, problem);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        const Manager *manager = userdata;

        if (!manager->stopping)
                reload(userdata);
        return 0;
}

/* Starts nothing more. Imports that run may end, because an aborted CALL leaves an unknown
 * outcome. A second signal stops at once. */
static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        Manager *manager = userdata;
        unsigned running;

        if (manager->stopping)
                return sd_event_exit(manager->event, 0);
        manager->stopping = true;
        manager->status_line = status_line_free(manager->status_line);
        running = inventory_counts(manager->inventory)->n_importing;
        (void)sd_notifyf(0, "STOPPING=1\nSTATUS=stopping; %u imports run", running);
        journal_stopping(
                running, clock_left_usec(inventory_import_deadline_usec(manager->inventory)));
        manager->server = server_free(manager->server);
        manager->reload = reload_free(manager->reload);
        inventory_end_checks(manager->inventory);
        (void)shutdown_new(&manager->shutdown, manager->event, manager->inventory);
        wakeup_request(manager->wakeup);
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
                r = wakeup_new(&manager->wakeup, manager->event, schedule, manager);
        if (r >= 0)
                r = watchdog_new(&manager->watchdog, manager->event, current_status, manager);
        if (r >= 0)
                r = status_line_new(&manager->status_line, manager->event, current_status, manager);
        return r < 0 ? r : 0;
}

static int setup_inventory(Manager *manager)
{
        InventoryHandlers handlers = {
                .material_changed = on_material,
                .cluster_changed = on_cluster,
                .material_removed = on_material_removed,
                .cluster_removed = on_cluster_removed,
                .record_unreadable = on_record_unreadable,
                .userdata = manager,
        };
        int r = journal_filter_new(&manager->filter, set_warned, manager);

        if (r == 0)
                r = metrics_new(&manager->metrics);
        if (r == 0)
                r = metrics_file_new(&manager->metrics_file, manager->event, make_metrics,
                        on_metrics_error, manager);
        if (r == 0)
                r = inventory_new(&manager->inventory, manager->event, &handlers);
        if (r == 0)
                r = reload_new(&manager->reload, manager->event, manager->inventory,
                        manager->options.config_path, manager->options.once, on_reload_ended,
                        manager);
        return r == 0 ? scheduler_new(&manager->scheduler, manager->inventory) : r;
}

static int setup_server(Manager *manager)
{
        char path[PATH_MAX];
        int r = paths_socket(path, sizeof(path));

        if (r == 0)
                r = cluster_probes_new(&manager->probes, manager->event, manager->inventory);
        if (r < 0)
                return r;
        manager->operations = (ManagerOperations){
                .status = current_status,
                .config = current_config,
                .import_now = import_now,
                .can_remove = can_remove,
                .remove = remove_material,
                .schedule = run_requested,
                .reload = reload,
                .try_reload = try_reload,
                .metrics = make_metrics,
                .check = cluster_probes_operations(manager->probes),
                .info = &manager->info,
                .userdata = manager,
        };
        r = server_new(&manager->server, manager->event, path, manager->options.version,
                MANAGER_HOLD_USEC, methods_answer, &manager->operations);
        if (r < 0)
                journal_failure(path, r);
        return r;
}

int manager_new(Manager **ret, Config *config, const ManagerOptions *options)
{
        CLEANUP(config_unrefp) Config *owned = config;
        CLEANUP(manager_freep) Manager *manager = calloc(1, sizeof(*manager));
        uint64_t now = clock_wall_usec();
        int r;

        if (!manager)
                return -ENOMEM;
        *manager = (Manager){.options = *options};
        config->once = options->once;
        manager->info = (ManagerInfo){.version = options->version,
                .pid = getpid(),
                .started_at_usec = now,
                .loaded_at_usec = now};
        r = setup_loop(manager);
        if (r == 0)
                r = setup_inventory(manager);
        if (r == 0 && !options->once)
                r = setup_server(manager);
        if (r == 0)
                r = inventory_apply(manager->inventory, TAKE(owned));
        if (r < 0)
                return r;
        scheduler_reset(manager->scheduler);
        metrics_file_set_path(manager->metrics_file, config->metrics_file);
        *ret = TAKE(manager);
        return 0;
}

Manager *manager_free(Manager *manager)
{
        if (!manager)
                return NULL;
        watchdog_free(manager->watchdog);
        status_line_free(manager->status_line);
        server_free(manager->server);
        cluster_probes_free(manager->probes);
        scheduler_free(manager->scheduler);
        reload_free(manager->reload);
        inventory_free(manager->inventory);
        metrics_file_free(manager->metrics_file);
        metrics_free(manager->metrics);
        journal_filter_free(manager->filter);
        shutdown_free(manager->shutdown);
        wakeup_free(manager->wakeup);
        sd_event_unref(manager->event);
        free(manager);
        job_reap(MANAGER_REAP_USEC);
        return NULL;
}

int manager_run(Manager *manager)
{
        int r;

        journal_started(manager->options.version, inventory_config(manager->inventory));
        (void)sd_notify(0, "READY=1");
        r = sd_event_loop(manager->event);
        inventory_abort_imports(manager->inventory);
        inventory_flush(manager->inventory);
        inventory_end_rollouts(manager->inventory);
        if (r < 0)
                journal_failure("event loop", r);
        return r;
}
