#include "daemon/varlink/status-json.h"

#include "common/clock.h"
#include "common/json-writer.h"
#include "daemon/status/summary-cluster.h"
#include "daemon/status/summary-material.h"
#include "daemon/status/summary.h"

/* Writes null for 0, which means unknown. */
static void number_or_null(JsonWriter *writer, const char *key, uint64_t value)
{
        json_put_known_integer(writer, key, value > 0, (int64_t)value);
}

/* Writes a boot time as the wall clock shows it. */
static void time_or_null(JsonWriter *writer, const char *key, uint64_t usec)
{
        number_or_null(writer, key, usec > 0 ? clock_wall_at_usec(usec) : 0);
}

static void write_violation(JsonWriter *writer, const Problem *problem)
{
        json_open_object(writer);
        json_put_string(writer, "file", material_file_to_string(problem->file));
        json_put_string(writer, "rule", rule_to_string(problem->rule));
        json_put_string(writer, "severity", severity_to_string(problem->severity));
        json_put_string(writer, "text", problem->text);
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
        json_put_string(writer, "subject", certificate->subject);
        json_put_string(writer, "issuer", certificate->issuer);
        json_put_string(writer, "serial", certificate->serial);
        json_put_string(writer, "sha256", certificate->sha256);
        json_put_integer(writer, "not_before", (int64_t)certificate->not_before_usec);
        json_put_integer(writer, "not_after", (int64_t)certificate->not_after_usec);
        json_put_string(writer, "key_type", certificate->key_type);
        json_put_integer(writer, "key_bits", (int64_t)certificate->key_bits);
        json_close_object(writer);
}

static void write_rollout(JsonWriter *writer, const WaveStatus *wave)
{
        char reason[SUMMARY_TEXT_MAX];

        json_key(writer, "rollout");
        if (wave->state == WAVE_NONE) {
                json_null(writer);
                return;
        }
        summary_wave_reason(reason, sizeof(reason), wave);
        json_open_object(writer);
        json_put_string(writer, "canary", wave->canary);
        json_put_string(writer, "state", wave_state_to_string(wave->state));
        json_put_text(writer, "reason", reason);
        number_or_null(writer, "since", wave->since_at_usec);
        time_or_null(writer, "until", wave->until_usec);
        json_put_integer(writer, "waiting", (int64_t)wave->n_waiting);
        json_close_object(writer);
}

void status_json_write_material(JsonWriter *writer, const MaterialStatus *material)
{
        const Report *report = material->report;
        char reason[PROBLEM_TEXT_MAX + 64];

        summary_material_reason(reason, sizeof(reason), material);
        json_open_object(writer);
        json_put_string(writer, "name", material->config->name);
        json_put_string(writer, "directory", material->config->directory);
        json_put_string(writer, "state", material_state_to_string(material->state));
        json_put_string(writer, "health", health_to_string(summary_material_health(material)));
        json_put_text(writer, "reason", reason);
        json_put_text(writer, "next_step", summary_material_next_step(material));
        json_put_integer(writer, "since", (int64_t)clock_wall_at_usec(material->since_usec));
        json_put_text(writer, "fingerprint", report->fingerprint);
        write_certificate(writer, report);
        json_put_integer(writer, "ca_count", (int64_t)report->ca_count);
        number_or_null(writer, "ca_not_after", report->ca_not_after_usec);
        json_key(writer, "problems");
        json_open_array(writer);
        for (unsigned i = 0; i < report->n_problems; i++)
                write_violation(writer, &report->problems[i]);
        json_close_array(writer);
        write_rollout(writer, &material->wave);
        number_or_null(writer, "not_responding_since", material->not_responding_since_at_usec);
        json_put_string(writer, "watch", material->watch->watch);
        json_put_integer(writer, "missed_events", (int64_t)material->watch->missed_events);
        number_or_null(writer, "last_check", material->watch->checked_at_usec);
        number_or_null(writer, "last_change", material->watch->changed_at_usec);
        json_close_object(writer);
}

/* null: there was none since the cluster was enabled, or it succeeded before the last start. */
static void write_removal(JsonWriter *writer, const ClusterStatus *cluster)
{
        static const KeptOutcome none = {0};
        bool ended = !cluster->removing && cluster->record->removal.outcome.known;
        const KeptOutcome *outcome = ended ? &cluster->record->removal.outcome : &none;

        json_key(writer, "removal");
        if (!ended && !cluster->removing) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        json_put_boolean(writer, "running", cluster->removing);
        json_put_text(writer, "outcome", kept_outcome_to_string(outcome));
        number_or_null(writer, "sql_errno", outcome->sql_errno);
        json_put_string(writer, "reason", outcome->text);
        json_put_text(writer, "next_step", summary_removal_next_step(cluster));
        json_close_object(writer);
}

void status_json_write_cluster(JsonWriter *writer, const ClusterStatus *cluster,
        const MaterialStatus *material, uint64_t now_usec)
{
        const Record *record = cluster->record;
        char reason[SUMMARY_TEXT_MAX];

        summary_cluster_reason(reason, sizeof(reason), cluster, material, now_usec);
        json_open_object(writer);
        json_put_string(writer, "name", cluster->config->name);
        json_put_string(writer, "host", cluster->config->login.host);
        json_put_integer(writer, "port", (int64_t)cluster->config->login.port);
        json_put_string(writer, "material", cluster->config->material_name);
        json_put_string(writer, "state", cluster_state_to_string(cluster->state));
        json_put_string(
                writer, "health", health_to_string(summary_cluster_health(cluster, now_usec)));
        json_put_text(writer, "reason", reason);
        json_put_text(writer, "next_step", summary_cluster_next_step(cluster, material));
        json_put_integer(writer, "since", (int64_t)clock_wall_at_usec(cluster->since_usec));
        time_or_null(writer, "out_of_sync_since", cluster->out_of_sync_since_usec);
        json_put_text(writer, "imported_fingerprint", record->imported.fingerprint);
        number_or_null(writer, "imported_at", record->imported.at_usec);
        number_or_null(writer, "imported_not_after", record->imported.not_after_usec);
        json_put_known_boolean(writer, "in_use", record->imported.in_use, true);
        json_put_string(writer, "import_warning", record->imported.warning);
        json_put_known_boolean(writer, "rollback", cluster->roll_back != TRISTATE_UNKNOWN,
                cluster->roll_back == TRISTATE_YES);
        json_put_integer(writer, "attempts", (int64_t)record->attempt.failures);
        number_or_null(writer, "last_attempt", record->attempt.at_usec);
        number_or_null(writer, "last_success", record->last_success_usec);
        time_or_null(writer, "next_attempt", cluster->next_attempt_usec);
        json_put_text(writer, "outcome", kept_outcome_to_string(&record->attempt.outcome));
        number_or_null(writer, "sql_errno", record->attempt.outcome.sql_errno);
        write_removal(writer, cluster);
        json_put_string(writer, "replication_mode",
                replication_mode_to_string(cluster->config->replication));
        replication_write(writer, cluster->replication, true);
        json_close_object(writer);
}

void status_json_write_problem(JsonWriter *writer, const ConfigProblem *problem)
{
        json_open_object(writer);
        json_put_string(writer, "file", problem->file);
        json_put_integer(writer, "line", problem->line);
        json_put_string(writer, "text", problem->text);
        json_close_object(writer);
}

int status_json_format(char **ret, const ManagerInfo *info, const ManagerStatus *status)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        char summary[SUMMARY_TEXT_MAX];

        summary_line(summary, sizeof(summary), status);
        json_open_object(writer);
        json_put_string(writer, "version", info->version);
        json_put_integer(writer, "pid", info->pid);
        json_put_integer(writer, "started_at", (int64_t)info->started_at_usec);
        json_put_integer(writer, "loaded_at", (int64_t)info->loaded_at_usec);
        json_put_string(writer, "health", health_to_string(summary_health(status)));
        json_put_string(writer, "summary", summary);
        json_key(writer, "refused");
        if (status->refused)
                status_json_write_problem(writer, status->refused);
        else
                json_null(writer);
        json_key(writer, "materials");
        json_open_array(writer);
        for (size_t i = 0; i < status->n_materials; i++)
                status_json_write_material(writer, status->materials[i]);
        json_close_array(writer);
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < status->n_clusters; i++)
                status_json_write_cluster(writer, status->clusters[i],
                        status->materials[status->clusters[i]->config->material], status->now_usec);
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_finish(writer, ret);
}
