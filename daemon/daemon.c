#include "daemon/daemon.h"

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
#include "daemon/dispatch.h"
#include "daemon/exporter.h"
#include "daemon/herald.h"
#include "daemon/journal.h"
#include "daemon/load.h"
#include "daemon/method.h"
#include "daemon/metrics.h"
#include "daemon/pulse.h"
#include "daemon/roster.h"
#include "daemon/server.h"

#define STOP_PATIENCE_USEC (10 * USEC_PER_SEC)

struct Daemon {
        sd_event *event;
        DaemonOptions options;
        StatusFacts facts;
        Roster *roster;
        Herald *herald;
        Metrics *metrics;
        Exporter *exporter;
        Server *server;
        MethodOperations operations;
        size_t next_cluster; /* whose turn it is when imports are scarce */
        Pulse *pulse;
        sd_event_source *advance_source;
        sd_event_source *retry_timer;
        sd_event_source *stop_timer;
        bool woken; /* something happened that daemon_advance() has not seen yet */
        bool stopping;
        char said[SUMMARY_TEXT_MAX]; /* the last STATUS= */
};

static Model current_model(void *userdata)
{
        const Daemon *daemon = userdata;

        return roster_model(daemon->roster, clock_wall_usec());
}

static void wake(Daemon *daemon)
{
        daemon->woken = true;
        (void)sd_event_source_set_enabled(daemon->advance_source, SD_EVENT_ONESHOT);
}

static void publish(Daemon *daemon, const char *event, const MaterialStatus *material,
        const ClusterStatus *cluster)
{
        CLEANUP(freep) char *text = NULL;
        const MaterialStatus *of_cluster = NULL;
        Model model;

        if (!daemon->server || !server_has_subscribers(daemon->server))
                return;
        model = current_model(daemon);
        for (size_t i = 0; i < model.n_clusters; i++)
                if (model.clusters[i] == cluster) /* or it has gone, and its material with it */
                        of_cluster = model.materials[cluster->config->material];
        if (method_format_event(&text, event, material, cluster, of_cluster) == 0)
                server_publish(daemon->server, text);
}

static void say_status(Daemon *daemon)
{
        Model model = current_model(daemon);
        char line[SUMMARY_TEXT_MAX];

        summary_line(line, sizeof(line), &model);
        if (strcmp(line, daemon->said) == 0)
                return;
        memcpy(daemon->said, line, sizeof(line));
        (void)sd_notifyf(0, "STATUS=%s", line);
}

static void daemon_advance(Daemon *daemon)
{
        uint64_t earliest;
        bool current;

        daemon->woken = false;
        roster_reap(daemon->roster);
        if (daemon->stopping) {
                if (roster_count_busy(daemon->roster) == 0)
                        (void)sd_event_exit(daemon->event, 0);
                return;
        }
        earliest = dispatch_imports(daemon->roster, &daemon->next_cluster, clock_boottime_usec());
        (void)sd_event_source_set_time(daemon->retry_timer, earliest);
        (void)sd_event_source_set_enabled(
                daemon->retry_timer, earliest == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
        say_status(daemon);
        exporter_poke(daemon->exporter);
        /* A durable write takes its time: one a turn, and none while importers want the processor. */
        if (roster_count_busy(daemon->roster) == 0 && roster_flush_one(daemon->roster))
                wake(daemon);
        if (daemon->options.once && dispatch_is_settled(daemon->roster, &current))
                (void)sd_event_exit(daemon->event, current ? 0 : 1);
}

static int on_advance(sd_event_source *source, void *userdata)
{
        (void)source;
        daemon_advance(userdata);
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
        Daemon *daemon = userdata;
        const MaterialStatus *status = material_status(material);

        if (herald_material(daemon->herald, daemon->roster, status))
                publish(daemon, "changed", status, NULL);
        wake(daemon);
}

static void on_material_removed(const MaterialStatus *material, void *userdata)
{
        Daemon *daemon = userdata;

        publish(daemon, "removed", material, NULL);
        herald_forget_material(daemon->herald, material->config->name);
}

static void on_cluster(Cluster *cluster, ClusterNews news, const Outcome *outcome, void *userdata)
{
        Daemon *daemon = userdata;
        const ClusterStatus *status = cluster_status(cluster);

        herald_cluster(status, news, outcome);
        if (news == CLUSTER_NEWS_ATTEMPT)
                metrics_count(daemon->metrics, status->config->name, outcome->kind,
                        outcome->duration_usec);
        publish(daemon, "changed", NULL, status);
        wake(daemon);
}

static void on_cluster_removed(const ClusterStatus *cluster, void *userdata)
{
        Daemon *daemon = userdata;

        publish(daemon, "removed", NULL, cluster);
        metrics_forget(daemon->metrics, cluster->config->name);
}

static void on_record_unreadable(const char *cluster, int error, void *userdata)
{
        (void)userdata;
        journal_record_unreadable(cluster, error);
}

/* What the socket asks for. */

static void hurry(size_t index, bool force, void *userdata)
{
        const Daemon *daemon = userdata;

        cluster_hurry(roster_cluster(daemon->roster, index), force);
}

static void advance(void *userdata)
{
        daemon_advance(userdata);
}

static int make_metrics(char **ret, void *userdata)
{
        Daemon *daemon = userdata;
        Model model = current_model(daemon);

        return metrics_format(ret, daemon->metrics, &model, daemon->facts.version);
}

static void on_exported(const char *path, int error, void *userdata)
{
        (void)userdata;
        journal_metrics_unwritable(path, error);
}

static bool is_allowed(const Connection *connection, void *userdata)
{
        const Daemon *daemon = userdata;
        const Config *config = roster_config(daemon->roster);
        uid_t uid;

        if (connection_peer_uid(connection, &uid) == 0 && (uid == 0 || uid == geteuid()))
                return true;
        return config->control_group[0] != '\0' &&
                connection_peer_is_member(connection, config->control_gid);
}

/* All of it or nothing; whatever runs goes on. */
static int reload(ConfigProblem *ret_problem, void *userdata)
{
        Daemon *daemon = userdata;
        Config *config = NULL;
        int r;

        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                clock_monotonic_usec()); /* sd_notify(3) */
        r = config_load(&config, daemon->options.config_path, ret_problem);
        if (r == 0)
                r = roster_apply(daemon->roster, config);
        if (r == -EINVAL)
                journal_reload_refused(ret_problem);
        else if (r < 0)
                journal_reload_failed(r);
        else {
                daemon->facts.loaded_at_usec = clock_wall_usec();
                daemon->next_cluster = 0;
                exporter_set_path(daemon->exporter, roster_config(daemon->roster)->metrics_file);
                journal_reloaded(roster_config(daemon->roster));
                publish(daemon, "reloaded", NULL, NULL);
        }
        (void)sd_notify(0, "READY=1");
        wake(daemon);
        return r;
}

static int on_call(Connection *connection, const VarlinkCall *call, char **ret_parameters,
        const char **ret_error, void *userdata)
{
        Daemon *daemon = userdata;

        /* A cluster is not current any more once another set stands on disk: what is told was
         * decided after all that has happened. */
        if (daemon->woken)
                daemon_advance(daemon);
        return method_answer(&daemon->operations, connection, call, ret_parameters, ret_error);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        Daemon *daemon = userdata;
        ConfigProblem problem;

        (void)source;
        (void)info;
        if (!daemon->stopping)
                (void)reload(&problem, daemon);
        return 0;
}

static int on_stop_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Daemon *daemon = userdata;

        (void)source;
        (void)usec;
        return sd_event_exit(daemon->event, 0);
}

/* No new work; imports that run may end, because an aborted CALL leaves an unknown outcome. */
static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        Daemon *daemon = userdata;

        (void)source;
        (void)info;
        if (daemon->stopping)
                return sd_event_exit(daemon->event, 0);
        daemon->stopping = true;
        (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
        journal_stopping(roster_count_busy(daemon->roster));
        daemon->server = server_free(daemon->server);
        (void)sd_event_add_time_relative(daemon->event, &daemon->stop_timer, CLOCK_BOOTTIME,
                STOP_PATIENCE_USEC, 0, on_stop_timer, daemon);
        wake(daemon);
        return 0;
}

static int add_signal(Daemon *daemon, int number, sd_event_signal_handler_t handler)
{
        return sd_event_add_signal(
                daemon->event, NULL, number | SD_EVENT_SIGNAL_PROCMASK, handler, daemon);
}

static int setup_loop(Daemon *daemon)
{
        int r = sd_event_new(&daemon->event);

        if (r >= 0)
                r = add_signal(daemon, SIGTERM, on_stop);
        if (r >= 0)
                r = add_signal(daemon, SIGINT, on_stop);
        if (r >= 0)
                r = add_signal(daemon, SIGHUP, on_reload);
        if (r >= 0)
                r = sd_event_add_defer(daemon->event, &daemon->advance_source, on_advance, daemon);
        /* What lies before the loop comes first. */
        if (r >= 0)
                r = sd_event_source_set_priority(
                        daemon->advance_source, SD_EVENT_PRIORITY_NORMAL + 10);
        if (r >= 0)
                r = sd_event_add_time(daemon->event, &daemon->retry_timer, CLOCK_BOOTTIME,
                        USEC_NEVER, 1, on_retry, daemon);
        if (r >= 0)
                r = pulse_new(&daemon->pulse, daemon->event, current_model, daemon);
        return r < 0 ? r : 0;
}

static int setup_stations(Daemon *daemon)
{
        RosterHandlers handlers = {
                .material_changed = on_material,
                .cluster_changed = on_cluster,
                .material_removed = on_material_removed,
                .cluster_removed = on_cluster_removed,
                .record_unreadable = on_record_unreadable,
                .userdata = daemon,
        };
        int r = herald_new(&daemon->herald);

        if (r == 0)
                r = metrics_new(&daemon->metrics);
        if (r == 0)
                r = exporter_new(
                        &daemon->exporter, daemon->event, make_metrics, on_exported, daemon);
        return r == 0 ? roster_new(&daemon->roster, daemon->event, &handlers) : r;
}

static int setup_server(Daemon *daemon)
{
        char path[PATH_MAX];
        int r = server_path(path);

        if (r < 0)
                return r;
        daemon->operations = (MethodOperations){
                .model = current_model,
                .hurry = hurry,
                .advance = advance,
                .reload = reload,
                .metrics = make_metrics,
                .is_allowed = is_allowed,
                .facts = &daemon->facts,
                .userdata = daemon,
        };
        r = server_new(
                &daemon->server, daemon->event, path, daemon->options.version, on_call, daemon);
        if (r < 0)
                journal_failure(path, r);
        return r;
}

int daemon_new(Daemon **ret, Config *config, const DaemonOptions *options)
{
        CLEANUP(config_freep) Config *given = config;
        CLEANUP(daemon_freep) Daemon *daemon = calloc(1, sizeof(*daemon));
        uint64_t now = clock_wall_usec();
        int r;

        if (!daemon)
                return -ENOMEM;
        *daemon = (Daemon){.options = *options};
        daemon->facts = (StatusFacts){.version = options->version,
                .pid = getpid(),
                .started_at_usec = now,
                .loaded_at_usec = now};
        r = setup_loop(daemon);
        if (r == 0)
                r = setup_stations(daemon);
        if (r == 0 && !options->once)
                r = setup_server(daemon);
        if (r == 0)
                r = roster_apply(daemon->roster, TAKE(given));
        if (r < 0)
                return r;
        exporter_set_path(daemon->exporter, roster_config(daemon->roster)->metrics_file);
        *ret = TAKE(daemon);
        return 0;
}

Daemon *daemon_free(Daemon *daemon)
{
        if (!daemon)
                return NULL;
        pulse_free(daemon->pulse);
        server_free(daemon->server);
        roster_free(daemon->roster);
        exporter_free(daemon->exporter);
        metrics_free(daemon->metrics);
        herald_free(daemon->herald);
        sd_event_source_disable_unref(daemon->stop_timer);
        sd_event_source_disable_unref(daemon->retry_timer);
        sd_event_source_disable_unref(daemon->advance_source);
        sd_event_unref(daemon->event);
        free(daemon);
        return NULL;
}

int daemon_run(Daemon *daemon)
{
        int r;

        journal_started(daemon->options.version, roster_config(daemon->roster));
        (void)sd_notify(0, "READY=1");
        r = sd_event_loop(daemon->event);
        roster_flush(daemon->roster);
        if (r < 0)
                journal_failure("event loop", r);
        return r;
}
