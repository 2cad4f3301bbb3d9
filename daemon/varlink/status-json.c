#include "daemon/varlink/status-json.h"

#include <string.h>

#include "common/json-writer.h"

static void text(JsonWriter *writer, const char *key, const char *value)
{
        json_key(writer, key);
        json_string(writer, value);
}

/* An empty text is an absent one. */
static void text_or_null(JsonWriter *writer, const char *key, const char *value)
{
        text(writer, key, value[0] != '\0' ? value : NULL);
}

static void number(JsonWriter *writer, const char *key, uint64_t value)
{
        json_key(writer, key);
        json_integer(writer, (int64_t)value);
}

static void number_or_null(JsonWriter *writer, const char *key, uint64_t value)
{
        json_key(writer, key);
        if (value > 0)
                json_integer(writer, (int64_t)value);
        else
                json_null(writer);
}

static void write_problem(JsonWriter *writer, const Problem *problem)
{
        json_open_object(writer);
        text(writer, "file", material_file_to_string(problem->file));
        text(writer, "rule", rule_to_string(problem->rule));
        text(writer, "severity", severity_to_string(problem->severity));
        text(writer, "text", problem->text);
        json_close_object(writer);
}

static void write_certificate(JsonWriter *writer, const Report *report)
{
        const Certificate *certificate = &report->certificate;

        json_key(writer, "certificate");
        if (!report->has_certificate) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        text(writer, "subject", certificate->subject);
        text(writer, "issuer", certificate->issuer);
        text(writer, "serial", certificate->serial);
        text(writer, "sha256", certificate->sha256);
        number(writer, "not_before", certificate->not_before_usec);
        number(writer, "not_after", certificate->not_after_usec);
        text(writer, "key_type", certificate->key_type);
        number(writer, "key_bits", certificate->key_bits);
        json_close_object(writer);
}

void status_json_write_material(JsonWriter *writer, const MaterialStatus *material)
{
        const Report *report = material->report;
        char reason[PROBLEM_TEXT_MAX + 64];

        summary_material_reason(reason, sizeof(reason), material);
        json_open_object(writer);
        text(writer, "name", material->config->name);
        text(writer, "directory", material->config->directory);
        text(writer, "state", material_state_to_string(material->state));
        text_or_null(writer, "reason", reason);
        number(writer, "since", material->since_at_usec);
        text_or_null(writer, "fingerprint", report->fingerprint);
        write_certificate(writer, report);
        number(writer, "ca_count", report->ca_count);
        number_or_null(writer, "ca_not_after", report->ca_not_after_usec);
        json_key(writer, "problems");
        json_open_array(writer);
        for (unsigned i = 0; i < report->n_problems; i++)
                write_problem(writer, &report->problems[i]);
        json_close_array(writer);
        text(writer, "watch", material->watch->watch);
        number(writer, "missed_events", material->watch->missed_events);
        number_or_null(writer, "last_check", material->watch->checked_at_usec);
        number_or_null(writer, "last_change", material->watch->changed_at_usec);
        json_close_object(writer);
}

static void write_replication(JsonWriter *writer, const Replication *replication)
{
        json_key(writer, "replication");
        if (!replication->known) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        json_key(writer, "configured");
        json_boolean(writer, replication->configured);
        text_or_null(writer, "io_running", replication->io_running);
        text_or_null(writer, "sql_running", replication->sql_running);
        json_key(writer, "tls");
        if (replication->tls == TRISTATE_UNKNOWN)
                json_null(writer);
        else
                json_boolean(writer, replication->tls == TRISTATE_YES);
        number_or_null(writer, "io_errno", replication->io_errno);
        text_or_null(writer, "io_error", replication->io_error);
        number(writer, "checked_at", replication->checked_at_usec);
        json_close_object(writer);
}

void status_json_write_cluster(
        JsonWriter *writer, const ClusterStatus *cluster, const MaterialStatus *material)
{
        const Record *record = cluster->record;
        char reason[SUMMARY_TEXT_MAX];

        summary_cluster_reason(reason, sizeof(reason), cluster, material);
        json_open_object(writer);
        text(writer, "name", cluster->config->name);
        text(writer, "host", cluster->config->host);
        number(writer, "port", cluster->config->port);
        text(writer, "material", cluster->config->material_name);
        text(writer, "state", cluster_state_to_string(cluster->state));
        text_or_null(writer, "reason", reason);
        text_or_null(writer, "next_step", summary_cluster_next(cluster));
        number(writer, "since", cluster->since_at_usec);
        number_or_null(writer, "out_of_sync_since", cluster->out_of_sync_since_usec);
        text_or_null(writer, "imported_fingerprint", record->imported.fingerprint);
        number_or_null(writer, "imported_at", record->imported.at_usec);
        json_key(writer, "in_use");
        if (record->imported.in_use)
                json_boolean(writer, true);
        else
                json_null(writer);
        number(writer, "attempts", record->attempt.failures);
        number_or_null(writer, "last_attempt", record->attempt.at_usec);
        number_or_null(writer, "last_success", record->last_success_usec);
        number_or_null(writer, "next_attempt", cluster->next_attempt_at_usec);
        text(writer, "outcome",
                record->attempt.has_outcome ? outcome_kind_to_string(record->attempt.outcome)
                                            : NULL);
        number_or_null(writer, "sql_errno", record->attempt.sql_errno);
        write_replication(writer, cluster->replication);
        json_close_object(writer);
}

int status_json_format(char **ret, const ManagerInfo *facts, const ManagerStatus *status)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        char summary[SUMMARY_TEXT_MAX];
        size_t size;
        int r;

        r = json_writer_new(&writer);
        if (r < 0)
                return r;
        summary_line(summary, sizeof(summary), status);
        json_open_object(writer);
        text(writer, "version", facts->version);
        number(writer, "pid", (uint64_t)facts->pid);
        number(writer, "started_at", facts->started_at_usec);
        number(writer, "loaded_at", facts->loaded_at_usec);
        text(writer, "health", health_to_string(summary_health(status)));
        text(writer, "summary", summary);
        json_key(writer, "materials");
        json_open_array(writer);
        for (size_t i = 0; i < status->n_materials; i++)
                status_json_write_material(writer, status->materials[i]);
        json_close_array(writer);
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < status->n_clusters; i++)
                status_json_write_cluster(writer, status->clusters[i],
                        status->materials[status->clusters[i]->config->material]);
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_finish(writer, ret, &size);
}
