#include "daemon/status/summary-cluster.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/config/paths.h"
#include "daemon/model/replication-state.h"
#include "daemon/status/summary-material.h"

static bool reimport_failed(const ClusterStatus *cluster)
{
        const Record *record = cluster->record;

        return cluster_reimport_failed(cluster->state,
                record->attempt.outcome.known ? record->attempt.outcome.kind : _OUTCOME_KIND_MAX,
                strcmp(record->attempt.fingerprint, record->imported.fingerprint) == 0);
}

/* Also during the attempt after a failed one: until that has ended the failure stands. */
static bool attempt_failed(const ClusterStatus *cluster)
{
        return (cluster->state == CLUSTER_IMPORTING || cluster->state == CLUSTER_RETRYING ||
                       cluster->state == CLUSTER_HELD) &&
                kept_outcome_failed(&cluster->record->attempt.outcome);
}

static bool replication_fails(const ClusterStatus *cluster)
{
        return replication_state(cluster->replication) == REPLICATION_STATE_FAILING;
}

/* With an expired set replication does not connect again. */
static bool has_expired(const ClusterStatus *cluster, uint64_t now_usec)
{
        const RecordImport *imported = &cluster->record->imported;

        return imported->fingerprint[0] != '\0' && imported->not_after_usec > 0 &&
                imported->not_after_usec <= now_usec;
}

Health summary_cluster_health(const ClusterStatus *cluster, uint64_t now_usec)
{
        if (cluster->state != CLUSTER_DISABLED && has_expired(cluster, now_usec))
                return HEALTH_CRITICAL;
        return health_of_cluster(cluster->state, cluster->replication,
                cluster->record_error != 0 || cluster->check.failure.known ||
                        reimport_failed(cluster) || attempt_failed(cluster) ||
                        cluster->config->twin);
}

static bool is_canary(const ClusterStatus *cluster, const WaveStatus *wave)
{
        return strcmp(wave->canary, cluster->config->name) == 0;
}

/* "": no set is known to be imported. */
static void append_kept_set(
        char *buffer, size_t size, const ClusterStatus *cluster, uint64_t now_usec)
{
        const RecordImport *imported = &cluster->record->imported;
        char date[CLOCK_TEXT_SIZE];

        if (imported->fingerprint[0] == '\0')
                return;
        text_append(buffer, size, "; the cluster keeps set %.12s", imported->fingerprint);
        if (imported->not_after_usec > 0)
                text_append(buffer, size, ", %s %s",
                        has_expired(cluster, now_usec) ? "which expired" : "valid until",
                        clock_format_date(date, imported->not_after_usec));
}

/* A cluster without a good set on disk, or one that the wave of the set has not reached. */
static void waiting_reason(char *buffer, size_t size, const ClusterStatus *cluster,
        const MaterialStatus *material, uint64_t now_usec)
{
        const WaveStatus *wave = &material->wave;
        char hold[SUMMARY_HOLD_MAX];

        if (!material->inspected)
                text_format(
                        buffer, size, "material %s is not inspected yet", material->config->name);
        else if (!material_state_is_good(material->state) || wave->state == WAVE_NONE)
                text_format(buffer, size, "material %s is %s", material->config->name,
                        material_state_to_string(material->state));
        else if (is_canary(cluster, wave))
                text_format(buffer, size, "%s (%s)", wave->reason, summary_wave_hold(hold, wave));
        else
                summary_wave_reason(buffer, size, wave);
        append_kept_set(buffer, size, cluster, now_usec);
}

static const char *waiting_next_step(const ClusterStatus *cluster, const MaterialStatus *material)
{
        const WaveStatus *wave = &material->wave;

        if (!material->inspected || material->state == MATERIAL_STATE_CHANGING)
                return "nothing yet: the import starts by itself when a good set is on disk";
        if (!material_state_is_good(material->state))
                return "mend the material; the import then starts by itself";
        if (wave->state == WAVE_NONE)
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

void summary_stop_reason(char *buffer, size_t size, const ClusterStatus *cluster)
{
        const RecordStop *stop = &cluster->record->stop;
        char time[CLOCK_TEXT_SIZE];

        text_format(buffer, size,
                "replication was stopped for the import of set %.12s at %s and is not started "
                "again yet%s%s",
                stop->fingerprint, clock_format_time(time, stop->at_usec),
                cluster->start.failure.known ? ": " : "",
                kept_outcome_reason(&cluster->start.failure));
}

const char *summary_stop_next_step(const ClusterStatus *cluster)
{
        const char *next = kept_outcome_next_step(&cluster->start.failure);

        if (next[0] != '\0')
                return next;
        return cluster->state == CLUSTER_DISABLED
                ? "CALL mysql.rds_start_replication on the cluster, or set enabled = yes"
                : "the start is retried; to start it by hand: CALL mysql.rds_start_replication";
}

static bool removal_has_ended(const ClusterStatus *cluster)
{
        return !cluster->removing && cluster->record->removal.outcome.known;
}

/* "" if there was none. */
static void removal_reason(char *buffer, size_t size, const ClusterStatus *cluster)
{
        const RecordRemoval *removal = &cluster->record->removal;
        char time[CLOCK_TEXT_SIZE];

        buffer[0] = '\0';
        if (cluster->removing)
                text_set(buffer, size, "the client material is being removed");
        else if (removal_has_ended(cluster) && removal->outcome.kind == OUTCOME_REMOVED)
                text_format(buffer, size, "the client material was removed at %s%s%s",
                        clock_format_time(time, removal->at_usec),
                        removal->outcome.text ? "; warning: " : "",
                        text_kept(removal->outcome.text));
        else if (removal_has_ended(cluster))
                text_format(buffer, size, "the removal of the client material at %s failed: %s",
                        clock_format_time(time, removal->at_usec),
                        kept_outcome_reason(&removal->outcome));
}

const char *summary_removal_next_step(const ClusterStatus *cluster)
{
        const KeptOutcome *removal = &cluster->record->removal.outcome;
        const char *next;

        if (!removal_has_ended(cluster))
                return "";
        next = kept_outcome_next_step(removal);
        return next[0] != '\0' || removal->kind == OUTCOME_REMOVED
                ? next
                : "repeat binlog-sslctl remove: it does no harm if the material is gone";
}

/* What the source has to accept, if that set is still on disk. */
static void append_imported_certificate(
        char *buffer, size_t size, const ClusterStatus *cluster, const MaterialStatus *material)
{
        const Report *report = material ? material->report : NULL;

        if (!replication_is_denied(cluster->replication) &&
                !replication_may_be_denied(cluster->replication))
                return;
        if (!report || !report->has_certificate ||
                strcmp(report->fingerprint, cluster->record->imported.fingerprint) != 0)
                return;
        text_append(buffer, size, "; the imported certificate is \"%s\", issued by \"%s\"",
                report->certificate.subject, report->certificate.issuer);
}

/* A cluster whose replication is stopped may have no failed attempt besides. */
static void stopped_error(char *buffer, size_t size, const ClusterStatus *cluster)
{
        const KeptOutcome *attempt = &cluster->record->attempt.outcome;
        char reason[SUMMARY_TEXT_MAX];

        summary_stop_reason(reason, sizeof(reason), cluster);
        if (kept_outcome_failed(attempt))
                text_format(buffer, size, "%s; %s", kept_outcome_reason(attempt), reason);
        else
                text_set(buffer, size, reason);
}

static void record_reason(char *buffer, size_t size, int error)
{
        char directory[CONFIG_PATH_MAX];
        int r = paths_directory(directory, sizeof(directory), PATHS_DIRECTORY_STATE);

        text_format(buffer, size, "%s: the record could not be written%s%s", strerror(error),
                r < 0 ? "" : " to ", r < 0 ? "" : directory);
}

static const char *record_next_step(int error)
{
        return error == ENOSPC || error == EDQUOT
                ? "make room there, see df -h and df -i; the record is then written by itself"
                : "see why that directory cannot be written; the record is then written by itself";
}

static void cluster_error(char *buffer, size_t size, const ClusterStatus *cluster,
        const MaterialStatus *material, uint64_t now_usec)
{
        const char *failure = kept_outcome_reason(&cluster->record->attempt.outcome);
        char date[CLOCK_TEXT_SIZE];

        buffer[0] = '\0';
        if (record_is_stopped(cluster->record) && cluster->state != CLUSTER_IMPORTING)
                stopped_error(buffer, size, cluster);
        else if (attempt_failed(cluster))
                text_set(buffer, size, failure);
        else if (replication_fails(cluster)) {
                replication_state_reason(buffer, size, cluster->replication);
                append_imported_certificate(buffer, size, cluster, material);
        } else if (cluster->state == CLUSTER_IMPORTING)
                return;
        else if (reimport_failed(cluster))
                text_format(buffer, size, "the repeated import failed: %s", failure);
        else if (cluster->check.failure.known)
                text_format(buffer, size, "the check failed: %s",
                        kept_outcome_reason(&cluster->check.failure));
        else if (cluster->record_error != 0)
                record_reason(buffer, size, cluster->record_error);
        else if (has_expired(cluster, now_usec))
                text_format(buffer, size, "the imported set expired %s",
                        clock_format_date(date, cluster->record->imported.not_after_usec));
        else
                replication_state_reason(buffer, size, cluster->replication);
        if (buffer[0] == '\0' && cluster->config->twin)
                text_format(buffer, size,
                        "cluster %s has the same host and port; each set is imported there twice",
                        cluster->config->twin);
}

void summary_cluster_reason(char *buffer, size_t size, const ClusterStatus *cluster,
        const MaterialStatus *material, uint64_t now_usec)
{
        char removal[SUMMARY_TEXT_MAX], stop[SUMMARY_TEXT_MAX];

        buffer[0] = '\0';
        switch (cluster->state) {
        case CLUSTER_DISABLED:
                text_set(buffer, size, "enabled = no");
                removal_reason(removal, sizeof(removal), cluster);
                if (removal[0] != '\0')
                        text_append(buffer, size, "; %s", removal);
                if (record_is_stopped(cluster->record)) {
                        summary_stop_reason(stop, sizeof(stop), cluster);
                        text_append(buffer, size, "; %s", stop);
                }
                break;
        case CLUSTER_WAITING:
                if (material)
                        waiting_reason(buffer, size, cluster, material, now_usec);
                break;
        case _CLUSTER_STATE_MAX:
                break;
        case CLUSTER_IMPORTING:
        case CLUSTER_CURRENT:
        case CLUSTER_RETRYING:
        case CLUSTER_HELD:
                cluster_error(buffer, size, cluster, material, now_usec);
                break;
        }
}

/* In the order of cluster_error(). */
static const char *current_next_step(const ClusterStatus *cluster)
{
        if (!replication_fails(cluster)) {
                if (cluster->check.failure.known)
                        return kept_outcome_next_step(&cluster->check.failure);
                if (cluster->record_error != 0)
                        return record_next_step(cluster->record_error);
        }
        return replication_state_next_step(cluster->replication, cluster->config->replication);
}

static const char *disabled_next_step(const ClusterStatus *cluster)
{
        const char *next = summary_removal_next_step(cluster);

        if (next[0] != '\0')
                return next;
        if (record_is_stopped(cluster->record))
                return summary_stop_next_step(cluster);
        return "to import into this cluster, set enabled = yes and reload";
}

const char *summary_cluster_next_step(const ClusterStatus *cluster, const MaterialStatus *material)
{
        const KeptOutcome *attempt = &cluster->record->attempt.outcome;
        bool failed = attempt_failed(cluster) || reimport_failed(cluster);
        const char *next = "";

        if (cluster->state == CLUSTER_DISABLED)
                return disabled_next_step(cluster);
        if (failed)
                next = kept_outcome_next_step(attempt);
        if (record_is_stopped(cluster->record) && cluster->state != CLUSTER_IMPORTING &&
                (next[0] == '\0' || kept_outcome_next_step(&cluster->start.failure)[0] != '\0'))
                return summary_stop_next_step(cluster);
        if (failed && next[0] == '\0')
                next = outcome_retry_note(attempt->kind);
        if (cluster->state == CLUSTER_WAITING && material)
                return waiting_next_step(cluster, material);
        if (cluster->state != CLUSTER_CURRENT || (failed && !replication_fails(cluster)))
                return next;
        next = current_next_step(cluster);
        return next[0] == '\0' && cluster->config->twin
                ? "remove one of the two sections from the configuration, then reload"
                : next;
}
