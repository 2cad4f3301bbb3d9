#include "daemon/daemon.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/cluster.h"
#include "daemon/herald.h"
#include "daemon/interface.h"
#include "daemon/journal.h"
#include "daemon/material.h"
#include "daemon/server.h"
#include "daemon/state.h"
#include "daemon/status.h"

#define STOP_PATIENCE_USEC (10 * USEC_PER_SEC)

struct Daemon {
        sd_event *event;
        Config *config;
        DaemonOptions options;
        StatusFacts facts;
        Material **materials;
        Cluster **clusters;
        Herald *herald;
        const MaterialStatus **material_statuses; /* the model's view, made once */
        const ClusterStatus **cluster_statuses;
        size_t next_cluster; /* whose turn it is when imports are scarce */
        Server *server;
        sd_event_source *advance_source;
        sd_event_source *retry_timer;
        sd_event_source *stop_timer;
        bool stopping;
        char said[SUMMARY_TEXT_MAX]; /* the last STATUS= */
};

static Model model_of(const Daemon *daemon)
{
        return (Model){
                .materials = daemon->material_statuses,
                .n_materials = daemon->config->n_materials,
                .clusters = daemon->cluster_statuses,
                .n_clusters = daemon->config->n_clusters,
                .now_usec = clock_wall_usec(),
        };
}

static void daemon_wake(Daemon *daemon)
{
        (void)sd_event_source_set_enabled(daemon->advance_source, SD_EVENT_ONESHOT);
}

static unsigned count_busy(const Daemon *daemon)
{
        unsigned n = 0;

        for (size_t i = 0; i < daemon->config->n_clusters; i++)
                n += cluster_is_busy(daemon->clusters[i]);
        return n;
}

static void say_status(Daemon *daemon)
{
        Model model = model_of(daemon);
        char line[SUMMARY_TEXT_MAX];

        summary_line(line, sizeof(line), &model);
        if (strcmp(line, daemon->said) == 0)
                return;
        memcpy(daemon->said, line, sizeof(line));
        (void)sd_notifyf(0, "STATUS=%s", line);
}

static bool is_settled(const Daemon *daemon)
{
        for (size_t i = 0; i < daemon->config->n_materials; i++) {
                const MaterialStatus *status = material_status(daemon->materials[i]);

                if (!status->inspected || status->state == MATERIAL_STATE_CHANGING)
                        return false;
        }
        return count_busy(daemon) == 0;
}

static void advance_once(Daemon *daemon)
{
        bool current = true;

        if (!is_settled(daemon))
                return;
        for (size_t i = 0; i < daemon->config->n_clusters; i++) {
                ClusterState state = cluster_status(daemon->clusters[i])->state;

                if (state == CLUSTER_IMPORTING)
                        return; /* waits for its turn */
                current = current && (state == CLUSTER_CURRENT || state == CLUSTER_DISABLED);
        }
        (void)sd_event_exit(daemon->event, current ? 0 : 1);
}

/* Starts what is due, as far as parallel-imports allows; returns the earliest later time. */
static uint64_t start_imports(Daemon *daemon, uint64_t now_usec)
{
        size_t n = daemon->config->n_clusters, first = daemon->next_cluster;
        unsigned busy = count_busy(daemon);
        uint64_t earliest = USEC_NEVER;

        for (size_t k = 0; k < n; k++) {
                size_t i = (first + k) % n;
                Cluster *cluster = daemon->clusters[i];
                Material *material = daemon->materials[daemon->config->clusters[i].material];
                const char *fingerprint = material_fingerprint(material);
                Plan plan;

                if (cluster_is_busy(cluster))
                        continue;
                plan = cluster_plan(cluster, fingerprint, now_usec);
                if (plan.action == PLAN_DELAY && plan.not_before_usec < earliest)
                        earliest = plan.not_before_usec;
                if (plan.action != PLAN_IMPORT && plan.action != PLAN_RECONNECT)
                        continue;
                if (busy >= daemon->config->parallel_imports)
                        continue; /* the end of a running one wakes us */
                (void)cluster_start(cluster, daemon->config, plan.action, fingerprint,
                        material_payload_fd(material));
                busy += cluster_is_busy(cluster);
                daemon->next_cluster = (i + 1) % n;
        }
        return earliest;
}

static void daemon_advance(Daemon *daemon)
{
        uint64_t earliest;

        if (daemon->stopping) {
                if (count_busy(daemon) == 0)
                        (void)sd_event_exit(daemon->event, 0);
                return;
        }
        earliest = start_imports(daemon, clock_boottime_usec());
        (void)sd_event_source_set_time(daemon->retry_timer, earliest);
        (void)sd_event_source_set_enabled(
                daemon->retry_timer, earliest == USEC_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
        say_status(daemon);
        if (daemon->options.once)
                advance_once(daemon);
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
        daemon_wake(userdata);
        return 0;
}

static void on_material(Material *material, void *userdata)
{
        Daemon *daemon = userdata;
        const MaterialStatus *status = material_status(material);
        size_t index = (size_t)(status->config - daemon->config->materials);

        herald_material(daemon->herald, index, status);
        daemon_wake(daemon);
}

static void on_attempted(Cluster *cluster, const Outcome *outcome, void *userdata)
{
        Daemon *daemon = userdata;

        herald_attempt(daemon->herald, cluster_status(cluster), outcome);
        daemon_wake(daemon);
}

static int on_call(Connection *connection, const VarlinkCall *call, char **ret_parameters,
        const char **ret_error, void *userdata)
{
        static const char *const none[] = {NULL};
        Daemon *daemon = userdata;
        Model model = model_of(daemon);
        const char *wrong = varlink_unknown_parameter(call, none);

        (void)connection;
        if (strcmp(call->method, "GetStatus") != 0)
                return varlink_refuse_method(ret_parameters, ret_error, call);
        if (wrong)
                return varlink_refuse(ret_parameters, ret_error, VARLINK_ERROR_INVALID_PARAMETER,
                        "parameter", wrong);
        return status_format(ret_parameters, &daemon->facts, &model);
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
        journal_stopping(count_busy(daemon));
        daemon->server = server_free(daemon->server);
        (void)sd_event_add_time_relative(daemon->event, &daemon->stop_timer, CLOCK_BOOTTIME,
                STOP_PATIENCE_USEC, 0, on_stop_timer, daemon);
        daemon_wake(daemon);
        return 0;
}

static int setup_loop(Daemon *daemon)
{
        int r = sd_event_new(&daemon->event);

        if (r >= 0)
                r = sd_event_add_signal(
                        daemon->event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, on_stop, daemon);
        if (r >= 0)
                r = sd_event_add_signal(
                        daemon->event, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK, on_stop, daemon);
        if (r >= 0)
                r = sd_event_add_defer(daemon->event, &daemon->advance_source, on_advance, daemon);
        if (r >= 0)
                r = sd_event_add_time(daemon->event, &daemon->retry_timer, CLOCK_BOOTTIME,
                        USEC_NEVER, 1, on_retry, daemon);
        if (r >= 0)
                r = sd_event_set_watchdog(daemon->event, true);
        return r < 0 ? r : 0;
}

static int setup_materials(Daemon *daemon)
{
        for (size_t i = 0; i < daemon->config->n_materials; i++) {
                int r = material_new(&daemon->materials[i], daemon->event,
                        &daemon->config->materials[i], on_material, daemon);

                if (r < 0)
                        return r;
                daemon->material_statuses[i] = material_status(daemon->materials[i]);
        }
        return 0;
}

static int setup_clusters(Daemon *daemon)
{
        for (size_t i = 0; i < daemon->config->n_clusters; i++) {
                const ClusterConfig *config = &daemon->config->clusters[i];
                Record record;
                int r = state_load(&record, config->name);

                if (r < 0 && r != -ENOENT)
                        journal_record_unreadable(config->name, r);
                r = cluster_new(
                        &daemon->clusters[i], daemon->event, config, &record, on_attempted, daemon);
                if (r < 0)
                        return r;
                daemon->cluster_statuses[i] = cluster_status(daemon->clusters[i]);
        }
        return 0;
}

static int setup_server(Daemon *daemon)
{
        char directory[CONFIG_PATH_MAX], path[PATH_MAX];
        int r = config_directory(directory, sizeof(directory), CONFIG_DIRECTORY_RUNTIME);

        if (r < 0)
                return r;
        snprintf(path, sizeof(path), "%s/%s", directory, SERVER_SOCKET_NAME);
        r = server_new(
                &daemon->server, daemon->event, path, daemon->options.version, on_call, daemon);
        if (r < 0)
                journal_failure(path, r);
        return r;
}

static int allocate(Daemon *daemon)
{
        size_t m = daemon->config->n_materials, c = daemon->config->n_clusters;

        daemon->materials = calloc(m, sizeof(*daemon->materials));
        daemon->material_statuses = calloc(m, sizeof(*daemon->material_statuses));
        daemon->clusters = calloc(c, sizeof(*daemon->clusters));
        daemon->cluster_statuses = calloc(c, sizeof(*daemon->cluster_statuses));
        return daemon->materials && daemon->material_statuses && daemon->clusters &&
                        daemon->cluster_statuses
                ? 0
                : -ENOMEM;
}

int daemon_new(Daemon **ret, Config *config, const DaemonOptions *options)
{
        Daemon *daemon = calloc(1, sizeof(*daemon));
        uint64_t now = clock_wall_usec();
        int r;

        if (!daemon) {
                config_free(config);
                return -ENOMEM;
        }
        *daemon = (Daemon){.config = config, .options = *options};
        daemon->facts = (StatusFacts){.version = options->version,
                .pid = getpid(),
                .started_at_usec = now,
                .loaded_at_usec = now};
        r = allocate(daemon);
        if (r == 0)
                r = herald_new(&daemon->herald, config->n_materials);
        if (r == 0)
                r = setup_loop(daemon);
        if (r == 0)
                r = setup_clusters(daemon);
        if (r == 0 && !options->once)
                r = setup_server(daemon);
        if (r == 0)
                r = setup_materials(daemon);
        if (r < 0) {
                daemon_free(daemon);
                return r;
        }
        *ret = daemon;
        return 0;
}

Daemon *daemon_free(Daemon *daemon)
{
        if (!daemon)
                return NULL;
        server_free(daemon->server);
        for (size_t i = 0; daemon->clusters && i < daemon->config->n_clusters; i++)
                cluster_free(daemon->clusters[i]);
        for (size_t i = 0; daemon->materials && i < daemon->config->n_materials; i++)
                material_free(daemon->materials[i]);
        sd_event_source_disable_unref(daemon->stop_timer);
        sd_event_source_disable_unref(daemon->retry_timer);
        sd_event_source_disable_unref(daemon->advance_source);
        sd_event_unref(daemon->event);
        herald_free(daemon->herald);
        free(daemon->materials);
        free(daemon->material_statuses);
        free(daemon->clusters);
        free(daemon->cluster_statuses);
        config_free(daemon->config);
        free(daemon);
        return NULL;
}

int daemon_run(Daemon *daemon)
{
        int r;

        journal_started(daemon->options.version, daemon->config);
        (void)sd_notify(0, "READY=1");
        r = sd_event_loop(daemon->event);
        if (r < 0)
                journal_failure("event loop", r);
        return r;
}
