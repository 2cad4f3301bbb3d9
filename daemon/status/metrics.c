#include "daemon/status/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/config/expiry-warnings.h"
#include "daemon/model/replication-state.h"

/* Upper bounds of the histogram: an import takes tens of milliseconds on a fast network, seconds
 * with a restart of replication, and is killed at import-timeout. */
static const double bounds_sec[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

typedef struct Counter {
        char cluster[CONFIG_NAME_MAX];
        unsigned n[_OUTCOME_KIND_MAX];
} Counter;

struct Metrics {
        void *counters; /* by cluster, tsearch(3) */
        uint64_t n_within[ARRAY_SIZE(bounds_sec)];
        uint64_t n_imports;
        uint64_t total_usec;
};

int metrics_new(Metrics **ret)
{
        *ret = calloc(1, sizeof(Metrics));
        return *ret ? 0 : -ENOMEM;
}

Metrics *metrics_free(Metrics *metrics)
{
        if (!metrics)
                return NULL;
        tdestroy(metrics->counters, free);
        free(metrics);
        return NULL;
}

/* The name is the first member. */
static int compare_counters(const void *a, const void *b)
{
        return strcmp(a, b);
}

/* Returns NULL if there is none. */
static Counter *find(const Metrics *metrics, const char *cluster)
{
        Counter **found = tfind(cluster, &metrics->counters, compare_counters);

        return found ? *found : NULL;
}

static Counter *add(Metrics *metrics, const char *cluster)
{
        CLEANUP(freep) Counter *counter = calloc(1, sizeof(*counter));

        if (!counter)
                return NULL;
        text_set(counter->cluster, sizeof(counter->cluster), cluster);
        return tsearch(counter, &metrics->counters, compare_counters) ? TAKE(counter) : NULL;
}

void metrics_count(
        Metrics *metrics, const char *cluster, OutcomeKind outcome, uint64_t duration_usec)
{
        Counter *counter = find(metrics, cluster);

        if (!counter)
                counter = add(metrics, cluster);
        if (!counter || (unsigned)outcome >= _OUTCOME_KIND_MAX)
                return;
        counter->n[outcome]++;
        metrics->n_imports++;
        metrics->total_usec += duration_usec;
        for (size_t i = 0; i < ARRAY_SIZE(bounds_sec); i++)
                metrics->n_within[i] += (double)duration_usec <= bounds_sec[i] * USEC_PER_SEC;
}

void metrics_forget(Metrics *metrics, const char *cluster)
{
        Counter *counter = find(metrics, cluster);

        if (counter)
                (void)tdelete(counter, &metrics->counters, compare_counters);
        free(counter);
}

static void head(FILE *stream, const char *name, const char *type, const char *help)
{
        fprintf(stream, "# HELP binlog_ssld_%s %s\n# TYPE binlog_ssld_%s %s\n", name, help, name,
                type);
}

static void put(FILE *stream, const char *name, const char *label, const char *value, double number)
{
        fprintf(stream, "binlog_ssld_%s{%s=\"%s\"} %.17g\n", name, label, value, number);
}

static double seconds(uint64_t usec)
{
        return (double)usec / USEC_PER_SEC;
}

static void write_expiry(FILE *stream, const ManagerStatus *status)
{
        static const char not_after[] = "binlog_ssld_material_not_after_timestamp_seconds"
                                        "{material=\"%s\",file=\"%s\"} %.17g\n";
        static const char warning[] = "binlog_ssld_material_expiry_warning_timestamp_seconds"
                                      "{material=\"%s\",file=\"%s\"} %.17g\n";

        head(stream, "material_not_after_timestamp_seconds", "gauge",
                "When the certificate on disk expires, and the first of its CAs.");
        for (size_t i = 0; i < status->n_materials; i++) {
                const Report *report = status->materials[i]->report;
                const char *name = status->materials[i]->config->name;

                if (report->has_certificate)
                        fprintf(stream, not_after, name, "cert",
                                seconds(report->certificate.not_after_usec));
                if (report->ca_count > 0)
                        fprintf(stream, not_after, name, "ca", seconds(report->ca_not_after_usec));
        }
        head(stream, "material_expiry_warning_timestamp_seconds", "gauge",
                "When the warnings of this expiry begin.");
        for (size_t i = 0; i < status->n_materials; i++) {
                const Report *report = status->materials[i]->report;
                const MaterialConfig *config = status->materials[i]->config;

                if (report->has_certificate)
                        fprintf(stream, warning, config->name, "cert",
                                seconds(expiry_warnings_begin_usec(config,
                                        report->certificate.not_before_usec,
                                        report->certificate.not_after_usec)));
                if (report->ca_count > 0)
                        fprintf(stream, warning, config->name, "ca",
                                seconds(expiry_warnings_begin_usec(config,
                                        report->ca_not_before_usec, report->ca_not_after_usec)));
        }
}

static void write_materials(FILE *stream, const ManagerStatus *status)
{
        write_expiry(stream, status);
        head(stream, "material_valid", "gauge", "The set on disk can be imported.");
        for (size_t i = 0; i < status->n_materials; i++)
                put(stream, "material_valid", "material", status->materials[i]->config->name,
                        material_state_is_good(status->materials[i]->state));
        head(stream, "watch_missed_total", "counter",
                "Changes that a poll found though the path was watched.");
        for (size_t i = 0; i < status->n_materials; i++)
                put(stream, "watch_missed_total", "material", status->materials[i]->config->name,
                        status->materials[i]->watch->missed_events);
        head(stream, "watch_active", "gauge",
                "The kernel reports changes; 0: they are polled only.");
        for (size_t i = 0; i < status->n_materials; i++)
                put(stream, "watch_active", "material", status->materials[i]->config->name,
                        status->materials[i]->watch->watching);
        head(stream, "watch_restarts_total", "counter",
                "Watch processes that ended and were replaced.");
        for (size_t i = 0; i < status->n_materials; i++)
                put(stream, "watch_restarts_total", "material", status->materials[i]->config->name,
                        status->materials[i]->watch_process->restarts);
        head(stream, "file_system_responding", "gauge",
                "The file system of the material answers; 0: what is known of it is old.");
        for (size_t i = 0; i < status->n_materials; i++)
                put(stream, "file_system_responding", "material",
                        status->materials[i]->config->name,
                        status->materials[i]->not_responding_since_at_usec == 0);
        head(stream, "last_check_timestamp_seconds", "gauge",
                "When the files were last compared with what is known of them.");
        for (size_t i = 0; i < status->n_materials; i++)
                put(stream, "last_check_timestamp_seconds", "material",
                        status->materials[i]->config->name,
                        seconds(status->materials[i]->watch->checked_at_usec));
}

static void write_waves(FILE *stream, const ManagerStatus *status)
{
        head(stream, "rollout_canary", "gauge",
                "Always 1; the cluster that gets a new set of the material first.");
        for (size_t i = 0; i < status->n_materials; i++)
                if (status->materials[i]->wave.state != WAVE_NONE)
                        fprintf(stream,
                                "binlog_ssld_rollout_canary{material=\"%s\",cluster=\"%s\"} 1\n",
                                status->materials[i]->config->name,
                                status->materials[i]->wave.canary);
        head(stream, "rollout_waiting_clusters", "gauge",
                "Clusters that keep their set until the canary has proven the one on disk.");
        for (size_t i = 0; i < status->n_materials; i++)
                if (status->materials[i]->wave.state != WAVE_NONE)
                        put(stream, "rollout_waiting_clusters", "material",
                                status->materials[i]->config->name,
                                status->materials[i]->wave.n_waiting);
        head(stream, "rollout_stopped", "gauge",
                "The canary failed with the set on disk, which no other cluster gets.");
        for (size_t i = 0; i < status->n_materials; i++)
                if (status->materials[i]->wave.state != WAVE_NONE)
                        put(stream, "rollout_stopped", "material",
                                status->materials[i]->config->name,
                                status->materials[i]->wave.state == WAVE_STOPPED);
}

static void write_clusters(FILE *stream, const ManagerStatus *status)
{
        head(stream, "cluster_current", "gauge", "The server acknowledged the set on disk.");
        for (size_t i = 0; i < status->n_clusters; i++)
                put(stream, "cluster_current", "cluster", status->clusters[i]->config->name,
                        status->clusters[i]->state == CLUSTER_CURRENT);
        head(stream, "cluster_imported_timestamp_seconds", "gauge",
                "When the last import was acknowledged.");
        for (size_t i = 0; i < status->n_clusters; i++)
                if (status->clusters[i]->record->imported.at_usec > 0)
                        put(stream, "cluster_imported_timestamp_seconds", "cluster",
                                status->clusters[i]->config->name,
                                seconds(status->clusters[i]->record->imported.at_usec));
        head(stream, "cluster_imported_not_after_timestamp_seconds", "gauge",
                "When the imported certificate expires.");
        for (size_t i = 0; i < status->n_clusters; i++)
                if (status->clusters[i]->record->imported.not_after_usec > 0)
                        put(stream, "cluster_imported_not_after_timestamp_seconds", "cluster",
                                status->clusters[i]->config->name,
                                seconds(status->clusters[i]->record->imported.not_after_usec));
        head(stream, "cluster_imported_expiry_warning_timestamp_seconds", "gauge",
                "When the warnings of this expiry begin.");
        for (size_t i = 0; i < status->n_clusters; i++) {
                const RecordImport *imported = &status->clusters[i]->record->imported;
                const ClusterConfig *config = status->clusters[i]->config;

                if (imported->not_after_usec > 0)
                        put(stream, "cluster_imported_expiry_warning_timestamp_seconds", "cluster",
                                config->name,
                                seconds(expiry_warnings_begin_usec(
                                        status->materials[config->material]->config,
                                        imported->not_before_usec, imported->not_after_usec)));
        }
        head(stream, "cluster_out_of_sync_since_timestamp_seconds", "gauge",
                "Since when a good set on disk is not the imported one; 0 when it is.");
        for (size_t i = 0; i < status->n_clusters; i++) {
                uint64_t since_usec = status->clusters[i]->out_of_sync_since_usec;

                put(stream, "cluster_out_of_sync_since_timestamp_seconds", "cluster",
                        status->clusters[i]->config->name,
                        since_usec > 0 ? seconds(clock_wall_at_usec(since_usec)) : 0);
        }
        head(stream, "cluster_last_outcome", "gauge",
                "Always 1; the label is that of the last attempt.");
        for (size_t i = 0; i < status->n_clusters; i++)
                if (status->clusters[i]->record->attempt.outcome.known)
                        fprintf(stream,
                                "binlog_ssld_cluster_last_outcome{cluster=\"%s\",outcome=\"%s\"} "
                                "1\n",
                                status->clusters[i]->config->name,
                                outcome_kind_to_string(
                                        status->clusters[i]->record->attempt.outcome.kind));
}

/* Each returns false if there is no such value. */
typedef bool (*replication_value_fn)(double *ret, const ClusterStatus *cluster);

static bool replication_running(double *ret, const ClusterStatus *cluster)
{
        *ret = replication_is_running(cluster->replication);
        return cluster->replication->configured;
}

static bool is_stopped_by_person(const ClusterStatus *cluster)
{
        return replication_state(cluster->replication) == REPLICATION_STATE_STOPPED;
}

static bool replication_stopped_by_person(double *ret, const ClusterStatus *cluster)
{
        *ret = is_stopped_by_person(cluster);
        return cluster->replication->configured;
}

static bool set_waits_for_start(double *ret, const ClusterStatus *cluster)
{
        const RecordImport *imported = &cluster->record->imported;

        *ret = is_stopped_by_person(cluster) && imported->fingerprint[0] != '\0' &&
                !imported->in_use;
        return cluster->replication->configured;
}

static bool replication_lag(double *ret, const ClusterStatus *cluster)
{
        *ret = (double)cluster->replication->lag_sec;
        return cluster->replication->configured && cluster->replication->lag_known;
}

static bool replication_tls(double *ret, const ClusterStatus *cluster)
{
        *ret = cluster->replication->tls == TRISTATE_YES;
        return cluster->replication->configured && cluster->replication->tls != TRISTATE_UNKNOWN;
}

static bool replication_last_check(double *ret, const ClusterStatus *cluster)
{
        *ret = seconds(cluster->replication->checked_at_usec);
        return true;
}

/* What was read of a cluster before it was disabled is not renewed, and is not shown. */
static void put_replication(
        FILE *stream, const char *name, const ManagerStatus *status, replication_value_fn value_of)
{
        double value;

        for (size_t i = 0; i < status->n_clusters; i++) {
                const ClusterStatus *cluster = status->clusters[i];

                if (cluster->replication->known && cluster->state != CLUSTER_DISABLED &&
                        value_of(&value, cluster))
                        put(stream, name, "cluster", cluster->config->name, value);
        }
}

static void write_replication(FILE *stream, const ManagerStatus *status)
{
        head(stream, "cluster_replication_running", "gauge",
                "Both replication threads ran when last read.");
        put_replication(stream, "cluster_replication_running", status, replication_running);
        head(stream, "cluster_replication_stopped_by_person", "gauge",
                "A replication thread was stopped without an error, not by binlog-ssld.");
        put_replication(stream, "cluster_replication_stopped_by_person", status,
                replication_stopped_by_person);
        head(stream, "cluster_replication_lag_seconds", "gauge",
                "How late the replica was when last read.");
        put_replication(stream, "cluster_replication_lag_seconds", status, replication_lag);
        head(stream, "cluster_replication_tls", "gauge",
                "The replica connects to its source with TLS.");
        put_replication(stream, "cluster_replication_tls", status, replication_tls);
        head(stream, "cluster_replication_last_check_timestamp_seconds", "gauge",
                "When the status of the replica was last read.");
        put_replication(stream, "cluster_replication_last_check_timestamp_seconds", status,
                replication_last_check);
        head(stream, "cluster_set_waits_for_start", "gauge",
                "The imported set is used when a person starts replication again.");
        put_replication(stream, "cluster_set_waits_for_start", status, set_waits_for_start);
}

static void write_counter(FILE *stream, const Counter *counter)
{
        for (unsigned kind = 0; kind < _OUTCOME_KIND_MAX; kind++)
                if (counter->n[kind] > 0)
                        fprintf(stream,
                                "binlog_ssld_imports_total{cluster=\"%s\",outcome=\"%s\"} %u\n",
                                counter->cluster, outcome_kind_to_string(kind), counter->n[kind]);
}

static void write_stops(FILE *stream, const ManagerStatus *status)
{
        head(stream, "cluster_replication_stopped", "gauge",
                "An import stopped replication, and it is not started again yet.");
        for (size_t i = 0; i < status->n_clusters; i++)
                put(stream, "cluster_replication_stopped", "cluster",
                        status->clusters[i]->config->name,
                        record_is_stopped(status->clusters[i]->record));
}

static void write_imports(FILE *stream, const Metrics *metrics, const ManagerStatus *status)
{
        head(stream, "imports_total", "counter", "Import attempts by outcome.");
        /* Omits the counter of an import that ended after its cluster was removed. */
        for (size_t i = 0; i < status->n_clusters; i++) {
                const Counter *counter = find(metrics, status->clusters[i]->config->name);

                if (counter)
                        write_counter(stream, counter);
        }
        head(stream, "import_duration_seconds", "histogram", "How long attempts took.");
        for (size_t i = 0; i < ARRAY_SIZE(bounds_sec); i++)
                fprintf(stream,
                        "binlog_ssld_import_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                        bounds_sec[i], metrics->n_within[i]);
        fprintf(stream,
                "binlog_ssld_import_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                "binlog_ssld_import_duration_seconds_sum %.17g\n"
                "binlog_ssld_import_duration_seconds_count %" PRIu64 "\n",
                metrics->n_imports, seconds(metrics->total_usec), metrics->n_imports);
}

int metrics_format(
        char **ret, const Metrics *metrics, const ManagerStatus *status, const char *version)
{
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);
        bool failed;

        if (!stream)
                return -ENOMEM;
        head(stream, "build_info", "gauge", "Always 1; the version is the label.");
        put(stream, "build_info", "version", version, 1);
        head(stream, "config_last_reload_successful", "gauge",
                "The configuration on disk was not refused by the last reload.");
        fprintf(stream, "binlog_ssld_config_last_reload_successful %d\n", !status->refused);
        write_materials(stream, status);
        write_waves(stream, status);
        write_clusters(stream, status);
        write_replication(stream, status);
        write_stops(stream, status);
        write_imports(stream, metrics, status);
        failed = ferror(stream) != 0;
        if (fclose(stream) != 0 || failed) {
                free(text);
                return -ENOMEM;
        }
        *ret = text;
        return 0;
}
