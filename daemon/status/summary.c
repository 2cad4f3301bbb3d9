#include "daemon/status/summary.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/model/replication-state.h"

static bool reimport_failed(const ClusterStatus *cluster)
{
        const Record *record = cluster->record;

        return cluster_reimport_failed(cluster->state,
                record->attempt.has_outcome ? record->attempt.outcome : _OUTCOME_KIND_MAX,
                strcmp(record->attempt.fingerprint, record->imported.fingerprint) == 0);
}

/* Also during the attempt after a failed one: until that has ended the failure stands. */
static bool attempt_failed(const ClusterStatus *cluster)
{
        const RecordAttempt *attempt = &cluster->record->attempt;

        return (cluster->state == CLUSTER_IMPORTING || cluster->state == CLUSTER_RETRYING ||
                       cluster->state == CLUSTER_HELD) &&
                attempt->has_outcome && !outcome_is_success(attempt->outcome);
}

static bool replication_fails(const ClusterStatus *cluster)
{
        return replication_state(cluster->replication) == REPLICATION_STATE_FAILING;
}

static Health cluster_health(const ClusterStatus *cluster)
{
        return health_of_cluster(cluster->state, cluster->replication,
                cluster->record_error != 0 || cluster->check.error[0] != '\0' ||
                        reimport_failed(cluster) || attempt_failed(cluster));
}

Health summary_health(const ManagerStatus *status)
{
        Health worst = HEALTH_OK;

        for (size_t i = 0; i < status->n_materials; i++) {
                const MaterialStatus *material = status->materials[i];
                MaterialState state =
                        material->inspected ? material->state : MATERIAL_STATE_CHANGING;
                Health health = health_of_material(
                        state, material->not_responding_since_at_usec == 0, material->wave.state);

                worst = health > worst ? health : worst;
        }
        for (size_t i = 0; i < status->n_clusters; i++) {
                Health health = cluster_health(status->clusters[i]);

                worst = health > worst ? health : worst;
        }
        return worst;
}

void summary_material_reason(char *buffer, size_t size, const MaterialStatus *material)
{
        const Problem *problem = report_first(material->report);
        const Problem *expiry = report_expiry(material->report);
        char time[CLOCK_TEXT_SIZE];

        buffer[0] = '\0';
        if (material->not_responding_since_at_usec > 0)
                text_format(buffer, size, "the file system of %s has not answered since %s",
                        material->config->directory,
                        clock_format_time(time, material->not_responding_since_at_usec));
        else if (!material->inspected)
                text_set(buffer, size, "the first inspection is under way");
        else if (material->error[0] != '\0')
                text_set(buffer, size, material->error);
        else if (material->report->files_changed)
                text_set(buffer, size, "the files change while they are read");
        else if (problem && problem->severity == SEVERITY_ERROR)
                text_format(buffer, size, "%s: %s", rule_to_string(problem->rule), problem->text);
        else if (material->state == MATERIAL_STATE_EXPIRING && expiry)
                text_set(buffer, size, expiry->text);
}

/* "1min 30s of 2min" */
static const char *format_hold(char *buffer, size_t size, const WaveStatus *wave)
{
        char held[DURATION_TEXT_SIZE], hold[DURATION_TEXT_SIZE];

        text_format(buffer, size, "%s of %s",
                duration_format(held, wave->held_usec / USEC_PER_SEC * USEC_PER_SEC),
                duration_format(hold, wave->hold_usec));
        return buffer;
}

void summary_wave_reason(char *buffer, size_t size, const WaveStatus *wave)
{
        const char *colon = wave->reason[0] != '\0' ? ": " : "";
        char hold[2 * DURATION_TEXT_SIZE];

        buffer[0] = '\0';
        switch (wave->state) {
        case WAVE_IMPORTING:
                text_format(buffer, size, "the canary %s does not have the set yet%s%s",
                        wave->canary, colon, wave->reason);
                break;
        case WAVE_HOLDING:
                if (wave->since_at_usec > 0)
                        text_format(buffer, size, "the canary %s is proving the set (%s)%s%s",
                                wave->canary, format_hold(hold, sizeof(hold), wave), colon,
                                wave->reason);
                else
                        text_format(buffer, size,
                                "the canary %s has the set, which nothing proves yet%s%s",
                                wave->canary, colon, wave->reason);
                break;
        case WAVE_STOPPED:
                text_format(buffer, size, "the canary %s failed%s%s", wave->canary, colon,
                        wave->reason);
                break;
        case WAVE_NONE:
        case WAVE_OPEN:
        case _WAVE_STATE_MAX:
                break;
        }
}

static bool is_canary(const ClusterStatus *cluster, const WaveStatus *wave)
{
        return strcmp(wave->canary, cluster->config->name) == 0;
}

/* A cluster without a good set on disk, or one that the wave of the set has not reached. */
static void waiting_reason(
        char *buffer, size_t size, const ClusterStatus *cluster, const MaterialStatus *material)
{
        const WaveStatus *wave = &material->wave;
        char hold[2 * DURATION_TEXT_SIZE];

        if (!material_state_is_good(material->state) || wave->state == WAVE_NONE)
                text_format(buffer, size, "material %s is %s", material->config->name,
                        material_state_to_string(material->state));
        else if (is_canary(cluster, wave))
                text_format(buffer, size, "%s (%s)", wave->reason,
                        format_hold(hold, sizeof(hold), wave));
        else
                summary_wave_reason(buffer, size, wave);
}

static const char *waiting_next_step(const ClusterStatus *cluster, const MaterialStatus *material)
{
        const WaveStatus *wave = &material->wave;

        if (!material_state_is_good(material->state) || wave->state == WAVE_NONE)
                return "";
        if (wave->state == WAVE_STOPPED)
                return "put a set on disk that the canary can use, or import this one by hand: "
                       "binlog-sslctl import CLUSTER";
        if (is_canary(cluster, wave))
                return "nothing yet: the import starts by itself when that set is proven or fails";
        if (wave->state == WAVE_HOLDING && wave->since_at_usec == 0)
                return "start replication on the canary, make another cluster the canary "
                       "(canary = yes), or import the set by hand: binlog-sslctl import CLUSTER";
        return "nothing yet: the import starts by itself when the canary has proven the set";
}

static void append(char *buffer, size_t size, const char *text)
{
        size_t used = strlen(buffer);

        text_set(buffer + used, size - used, text);
}

void summary_stop_reason(char *buffer, size_t size, const ClusterStatus *cluster)
{
        const RecordStop *stop = &cluster->record->stop;
        char time[CLOCK_TEXT_SIZE];

        text_format(buffer, size,
                "replication was stopped for the import of set %.12s at %s and is not started "
                "again yet%s%s",
                stop->fingerprint, clock_format_time(time, stop->at_usec),
                cluster->start.error[0] != '\0' ? ": " : "", cluster->start.error);
}

const char *summary_stop_next_step(const ClusterStatus *cluster)
{
        if (cluster->start.next_step[0] != '\0')
                return cluster->start.next_step;
        return cluster->state == CLUSTER_DISABLED
                ? "CALL mysql.rds_start_replication on the cluster, or set enabled = yes"
                : "the start is retried; to start it by hand: CALL mysql.rds_start_replication";
}

static bool removal_has_ended(const ClusterStatus *cluster)
{
        return !cluster->removing && cluster->record->removal.has_outcome;
}

/* "" if there was none. */
static void removal_reason(char *buffer, size_t size, const ClusterStatus *cluster)
{
        const RecordRemoval *removal = &cluster->record->removal;
        char time[CLOCK_TEXT_SIZE];

        buffer[0] = '\0';
        if (cluster->removing)
                text_set(buffer, size, "the client material is being removed");
        else if (removal_has_ended(cluster) && removal->outcome == OUTCOME_REMOVED)
                text_format(buffer, size, "the client material was removed at %s%s%s",
                        clock_format_time(time, removal->at_usec),
                        removal->text[0] != '\0' ? "; warning: " : "", removal->text);
        else if (removal_has_ended(cluster))
                text_format(buffer, size, "the removal of the client material at %s failed: %s",
                        clock_format_time(time, removal->at_usec),
                        removal->text[0] != '\0' ? removal->text
                                                 : outcome_kind_to_string(removal->outcome));
}

const char *summary_removal_next_step(const ClusterStatus *cluster)
{
        const RecordRemoval *removal = &cluster->record->removal;
        const char *next;

        if (!removal_has_ended(cluster))
                return "";
        next = outcome_next_step(removal->outcome, removal->next_step);
        return next[0] != '\0' || removal->outcome == OUTCOME_REMOVED
                ? next
                : "repeat binlog-sslctl remove: it does no harm if the material is gone";
}

/* A cluster whose replication is stopped may have no failed attempt besides. */
static void stopped_error(char *buffer, size_t size, const ClusterStatus *cluster)
{
        const RecordAttempt *attempt = &cluster->record->attempt;
        char reason[SUMMARY_TEXT_MAX];

        summary_stop_reason(reason, sizeof(reason), cluster);
        if (attempt->has_outcome && !outcome_is_success(attempt->outcome))
                text_format(buffer, size, "%s; %s",
                        attempt->text[0] != '\0' ? attempt->text
                                                 : outcome_kind_to_string(attempt->outcome),
                        reason);
        else
                text_set(buffer, size, reason);
}

/* The error of a cluster, without the next step; "" if it has none. */
static void cluster_error(char *buffer, size_t size, const ClusterStatus *cluster)
{
        const RecordAttempt *attempt = &cluster->record->attempt;
        const char *failure =
                attempt->text[0] != '\0' ? attempt->text : outcome_kind_to_string(attempt->outcome);

        buffer[0] = '\0';
        if (record_is_stopped(cluster->record) && cluster->state != CLUSTER_IMPORTING)
                stopped_error(buffer, size, cluster);
        else if (attempt_failed(cluster))
                text_set(buffer, size, failure);
        else if (replication_fails(cluster))
                replication_state_reason(buffer, size, cluster->replication);
        else if (cluster->state == CLUSTER_IMPORTING)
                return;
        else if (reimport_failed(cluster))
                text_format(buffer, size, "the repeated import failed: %s", failure);
        else if (cluster->check.error[0] != '\0')
                text_format(buffer, size, "the check failed: %s", cluster->check.error);
        else if (cluster->record_error != 0)
                text_format(buffer, size, "the record could not be written: %s",
                        strerror(cluster->record_error));
        else
                replication_state_reason(buffer, size, cluster->replication);
}

void summary_cluster_reason(
        char *buffer, size_t size, const ClusterStatus *cluster, const MaterialStatus *material)
{
        char removal[SUMMARY_TEXT_MAX];

        buffer[0] = '\0';
        switch (cluster->state) {
        case CLUSTER_DISABLED:
                text_set(buffer, size, "enabled = no");
                removal_reason(removal, sizeof(removal), cluster);
                append(buffer, size, removal[0] != '\0' ? "; " : "");
                append(buffer, size, removal);
                if (record_is_stopped(cluster->record)) {
                        append(buffer, size, "; ");
                        summary_stop_reason(
                                buffer + strlen(buffer), size - strlen(buffer), cluster);
                }
                break;
        case CLUSTER_WAITING:
                if (material)
                        waiting_reason(buffer, size, cluster, material);
                break;
        case _CLUSTER_STATE_MAX:
                break;
        case CLUSTER_IMPORTING:
        case CLUSTER_CURRENT:
        case CLUSTER_RETRYING:
        case CLUSTER_HELD:
                cluster_error(buffer, size, cluster);
                break;
        }
}

/* In the order of cluster_error(). */
static const char *current_next_step(const ClusterStatus *cluster)
{
        if (!replication_fails(cluster)) {
                if (cluster->check.error[0] != '\0')
                        return cluster->check.next_step;
                if (cluster->record_error != 0)
                        return "";
        }
        return replication_state_next_step(cluster->replication, cluster->config->replication);
}

const char *summary_cluster_next_step(const ClusterStatus *cluster, const MaterialStatus *material)
{
        const RecordAttempt *attempt = &cluster->record->attempt;
        bool failed = attempt_failed(cluster) || reimport_failed(cluster);
        const char *next = "";

        if (cluster->state == CLUSTER_DISABLED)
                next = summary_removal_next_step(cluster);
        if (next[0] != '\0')
                return next;
        if (failed)
                next = outcome_next_step(attempt->outcome, attempt->next_step);
        if (record_is_stopped(cluster->record) && cluster->state != CLUSTER_IMPORTING &&
                (next[0] == '\0' || cluster->start.next_step[0] != '\0'))
                return summary_stop_next_step(cluster);
        if (cluster->state == CLUSTER_WAITING && material)
                return waiting_next_step(cluster, material);
        if (cluster->state != CLUSTER_CURRENT || (failed && !replication_fails(cluster)))
                return next;
        return current_next_step(cluster);
}

static const ClusterStatus *worst_cluster(const ManagerStatus *status)
{
        const ClusterStatus *found = NULL;
        Health worst = HEALTH_OK;

        for (size_t i = 0; i < status->n_clusters; i++)
                if (cluster_health(status->clusters[i]) > worst) {
                        found = status->clusters[i];
                        worst = cluster_health(found);
                }
        return found;
}

static bool is_fine(const MaterialStatus *material)
{
        return material_state_is_good(material->state) &&
                material->not_responding_since_at_usec == 0;
}

static void append_stopped_waves(char *buffer, size_t size, const ManagerStatus *status)
{
        char reason[SUMMARY_TEXT_MAX / 2], part[SUMMARY_TEXT_MAX];

        for (size_t i = 0; i < status->n_materials; i++) {
                const MaterialStatus *material = status->materials[i];

                if (material->wave.state != WAVE_STOPPED)
                        continue;
                summary_wave_reason(reason, sizeof(reason), &material->wave);
                text_format(part, sizeof(part), "; the rollout of material %s is stopped: %s",
                        material->config->name, reason);
                append(buffer, size, part);
        }
}

static void append_materials(char *buffer, size_t size, const ManagerStatus *status)
{
        const MaterialStatus *earliest = NULL;
        char reason[PROBLEM_TEXT_MAX + 64], part[PROBLEM_TEXT_MAX + 128], date[CLOCK_TEXT_SIZE];

        for (size_t i = 0; i < status->n_materials; i++) {
                const MaterialStatus *material = status->materials[i];
                bool explained = material->inspected || material->not_responding_since_at_usec > 0;

                if (material_state_is_good(material->state) &&
                        (!earliest ||
                                material->report->certificate.not_after_usec <
                                        earliest->report->certificate.not_after_usec))
                        earliest = material;
                if (is_fine(material))
                        continue;
                summary_material_reason(reason, sizeof(reason), material);
                text_format(part, sizeof(part), "; material %s %s%s%s", material->config->name,
                        material->inspected ? material_state_to_string(material->state)
                                            : "not inspected yet",
                        explained && reason[0] != '\0' ? ": " : "", explained ? reason : "");
                append(buffer, size, part);
        }
        if (earliest) {
                text_format(part, sizeof(part), ", certificate valid until %s",
                        clock_format_date(date, earliest->report->certificate.not_after_usec));
                append(buffer, size, part);
        }
}

void summary_line(char *buffer, size_t size, const ManagerStatus *status)
{
        const ClusterStatus *worst = worst_cluster(status);
        size_t current = 0, enabled = 0;
        char error[SUMMARY_TEXT_MAX / 2], part[SUMMARY_TEXT_MAX], time[CLOCK_TEXT_SIZE];

        for (size_t i = 0; i < status->n_clusters; i++) {
                enabled += status->clusters[i]->state != CLUSTER_DISABLED;
                current += status->clusters[i]->state == CLUSTER_CURRENT;
        }
        text_format(buffer, size, "%zu/%zu clusters current", current, enabled);
        if (worst) {
                cluster_error(error, sizeof(error), worst);
                text_format(part, sizeof(part), "; %s: %s%s%s", worst->config->name, error,
                        worst->next_attempt_at_usec > 0 ? ", next try " : "",
                        worst->next_attempt_at_usec > 0
                                ? clock_format_time(time, worst->next_attempt_at_usec)
                                : "");
                append(buffer, size, part);
        }
        append_stopped_waves(buffer, size, status);
        append_materials(buffer, size, status);
}
