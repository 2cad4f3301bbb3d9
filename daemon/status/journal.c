#include "daemon/status/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/model/replication-state.h"
#include "daemon/status/summary.h"

#define ID_STARTED               "feb798dbbed84a93b0a6799d4891793e"
#define ID_STOPPING              "88fa697c45d6451daf8302441f7a7598"
#define ID_CONFIGURATION_INVALID "86c7dbb8b9914c9082a6ea08aa5c5807"
#define ID_FAILURE               "7df68a7b3fe54d6ba970de583621d08a"
#define ID_MATERIAL_GOOD         "f84392335933486484b557325c5dcf33"
#define ID_MATERIAL_BAD          "f88b0bcfc1354841a72a9bc764974fe0"
#define ID_MATERIAL_WAITING      "88489fdbcd61485a95281ce993a4413e"
#define ID_WATCH_DEGRADED        "41e77ca381654290a074cae04b94ab3f"
#define ID_WATCH_RESTORED        "6c3ae8f1e85a48dabb18f96c7f785da2"
#define ID_WATCH_RESTARTED       "4b20eb0ef3244d6e9ec80a25eff6508b"
#define ID_FILE_SYSTEM_SILENT    "0b65f83776514493b6bae19a2013769f"
#define ID_FILE_SYSTEM_ANSWERS   "2dbf32a14d304e11a98295f9aa545a5f"
#define ID_MATERIAL_EXPIRING     "c3b3612523384d20a977949aa1fbed3d"
#define ID_RELOADED              "0faad106cc5047c7b16fec97102e5a69"
#define ID_RELOAD_REFUSED        "182df1b6d99048a380ee7b9e80ef9a25"
#define ID_METRICS_UNWRITABLE    "10015df85062424b8418cbabcb21086d"
#define ID_METRICS_WRITABLE      "87847669b41a4035b08c64c78a143bd6"
#define ID_IMPORT_SUCCEEDED      "b67f353081314b519eb3c9b2dce500de"
#define ID_IMPORT_FAILED         "98dea10add2344349ad6838505da5c41"
#define ID_ALREADY_CURRENT       "2dac10bbde2c4254b74c98fef7cc3201"
#define ID_CHECK_FAILED          "d3acf8e8219c4a6b8dc22bf515a40177"
#define ID_CHECK_WORKS           "23466c6bb71d43ee974d050ed2e7d0c3"
#define ID_SERVER_CHANGED        "4a78213283a94af18260cc0c5c69577b"
#define ID_DRIFT                 "021bc3d3f75043ec9af06cdf537887e9"
#define ID_REPLICATION_BROKEN    "3e809c83646c47e1b565add61f354458"
#define ID_REPLICATION_RUNS      "7ff6d900ea714fb9b1013b80b0085e1d"
#define ID_REPLICATION_HALTED    "305a75b1f23a4b5c8909bc5b4cdfd608"
#define ID_REPLICATION_STOPPED   "61393cf7855c417ab8ee6f69488c2c21"
#define ID_REPLICATION_STARTED   "0c373fd4f92b44fb969c54cd5477acd4"
#define ID_WAVE_HOLDING          "bcb16dae5406446d8e55a62c6fe612ab"
#define ID_WAVE_OPEN             "3761ae895f5b4e65bc80c0e3fe688b3e"
#define ID_WAVE_STOPPED          "e70487b8ead1428cbf7dc6d6dfad3664"
#define ID_REPLICATION_HEALING   "9ec5fa3202ef45098366f0d1b82b7978"
#define ID_REMOVED               "26cc8300e32b4b09b12ba59f26f37329"
#define ID_REMOVAL_FAILED        "15bea468dfd142b9ba0c80c813b6c197"
#define ID_WATCHDOG_STOPPED      "051e94e70f90410093ceed0bdc8fd5dc"
#define ID_RECORD_UNREADABLE     "cb33a68761024cd38c01ddf042f20208"
#define ID_RECORD_UNWRITABLE     "115ddc6856f14c548d11a3d90dde0062"
#define ID_RECORD_WRITTEN        "8ec42981754548888db3a88c4ba91f8a"

#define FORM_SIZE 96

void journal_started(const char *version, const Config *config)
{
        log_send(LOG_INFO, ID_STARTED, NULL, 0,
                "binlog-ssld %s started: %zu clusters, %zu materials", version, config->n_clusters,
                config->n_materials);
}

void journal_stopping(unsigned running_imports, uint64_t left_usec)
{
        if (running_imports == 0)
                log_send(LOG_INFO, ID_STOPPING, NULL, 0, "stopping; no import runs");
        else
                log_send(LOG_INFO, ID_STOPPING, NULL, 0,
                        "stopping; waiting for %u running imports, at most %" PRIu64
                        " s (import-timeout); a second signal ends them",
                        running_imports, (left_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
}

/* `prefix`FILE:LINE: TEXT, without the line for a problem of the file as a whole. */
static void log_problem(const char *message_id, const char *prefix, const ConfigProblem *problem)
{
        char line[16] = "";

        if (problem->line > 0)
                snprintf(line, sizeof(line), ":%u", problem->line);
        log_send(LOG_ERR, message_id, NULL, 0, "%s%s%s: %s", prefix, problem->file, line,
                problem->text);
}

void journal_configuration_invalid(const ConfigProblem *problem)
{
        log_problem(ID_CONFIGURATION_INVALID, "", problem);
}

void journal_reloaded(const Config *config)
{
        log_send(LOG_NOTICE, ID_RELOADED, NULL, 0,
                "configuration reloaded: %zu clusters, %zu materials", config->n_clusters,
                config->n_materials);
}

void journal_reload_refused(const ConfigProblem *problem)
{
        log_problem(ID_RELOAD_REFUSED,
                "the configuration is refused, the previous one stays in force: ", problem);
}

void journal_reload_failed(int error)
{
        log_send(LOG_ERR, ID_RELOAD_REFUSED, NULL, 0,
                "the configuration is refused, the previous one stays in force: %s",
                strerror(abs(error)));
}

void journal_metrics_unwritable(const char *path, int error)
{
        if (error != 0)
                log_send(LOG_WARNING, ID_METRICS_UNWRITABLE, NULL, 0,
                        "metrics file %s cannot be written: %s; it is tried again", path,
                        strerror(error));
        else
                log_send(LOG_NOTICE, ID_METRICS_WRITABLE, NULL, 0,
                        "metrics file %s is written again", path);
}

void journal_failure(const char *what, int error)
{
        log_send(LOG_ERR, ID_FAILURE, NULL, 0, "%s: %s", what, strerror(abs(error)));
}

void journal_material(const MaterialStatus *material, const char *reason)
{
        const Report *report = material->report;
        bool good = material_state_is_good(material->state);
        bool waiting = material->state == MATERIAL_STATE_CHANGING ||
                material->state == MATERIAL_STATE_NOT_YET_VALID;
        LogField fields[] = {
                {"BINLOG_SSL_MATERIAL", material->config->name},
                {"BINLOG_SSL_FINGERPRINT",
                        report->fingerprint[0] != '\0' ? report->fingerprint : NULL},
        };
        char date[CLOCK_TEXT_SIZE];

        if (good)
                log_send(LOG_NOTICE, ID_MATERIAL_GOOD, fields, ARRAY_SIZE(fields),
                        "material %s is %s: set %.12s, subject %s, valid until %s",
                        material->config->name, material_state_to_string(material->state),
                        report->fingerprint, report->certificate.subject,
                        clock_format_date(date, report->certificate.not_after_usec));
        else
                log_send(waiting ? LOG_INFO : LOG_ERR,
                        waiting ? ID_MATERIAL_WAITING : ID_MATERIAL_BAD, fields, ARRAY_SIZE(fields),
                        "material %s is %s: %s", material->config->name,
                        material_state_to_string(material->state), reason);
}

void journal_material_expiring(const MaterialStatus *material)
{
        const Report *report = material->report;
        LogField fields[] = {
                {"BINLOG_SSL_MATERIAL", material->config->name},
                {"BINLOG_SSL_FINGERPRINT", report->fingerprint},
        };
        const Problem *expiry = report_expiry(report);
        char within[DURATION_TEXT_SIZE];

        log_send(LOG_WARNING, ID_MATERIAL_EXPIRING, fields, ARRAY_SIZE(fields),
                "material %s expires within %s and has not been renewed: %s",
                material->config->name, duration_format(within, report->expires_within_usec),
                expiry ? expiry->text : "");
}

void journal_wave(const MaterialStatus *material)
{
        const WaveStatus *wave = &material->wave;
        LogField fields[] = {
                {"BINLOG_SSL_MATERIAL", material->config->name},
                {"BINLOG_SSL_CLUSTER", wave->canary},
                {"BINLOG_SSL_FINGERPRINT", material->report->fingerprint},
        };
        char hold[DURATION_TEXT_SIZE], reason[SUMMARY_TEXT_MAX];

        if (wave->state == WAVE_HOLDING)
                log_send(LOG_NOTICE, ID_WAVE_HOLDING, fields, ARRAY_SIZE(fields),
                        "material %s: the canary %s replicates with set %.12s; the other clusters "
                        "get it when that has gone on for %s (canary-hold)",
                        material->config->name, wave->canary, material->report->fingerprint,
                        duration_format(hold, wave->hold_usec));
        else if (wave->state == WAVE_OPEN)
                log_send(LOG_NOTICE, ID_WAVE_OPEN, fields, ARRAY_SIZE(fields),
                        "material %s: set %.12s is proven; the clusters that do not have it get it "
                        "now",
                        material->config->name, material->report->fingerprint);
        else {
                summary_wave_reason(reason, sizeof(reason), wave);
                log_send(LOG_ERR, ID_WAVE_STOPPED, fields, ARRAY_SIZE(fields),
                        "material %s: the rollout of set %.12s is stopped: %s; %u clusters keep the "
                        "set that they have",
                        material->config->name, material->report->fingerprint, reason,
                        wave->n_waiting);
        }
}

void journal_watch(const MaterialStatus *material)
{
        LogField fields[] = {{"BINLOG_SSL_MATERIAL", material->config->name}};
        char interval[DURATION_TEXT_SIZE];

        if (material->watch->watching)
                log_send(LOG_NOTICE, ID_WATCH_RESTORED, fields, ARRAY_SIZE(fields),
                        "material %s: the path is watched again", material->config->name);
        else
                log_send(LOG_WARNING, ID_WATCH_DEGRADED, fields, ARRAY_SIZE(fields),
                        "material %s: changes are found within %s only: %s", material->config->name,
                        duration_format(interval, material->config->poll_interval_usec),
                        material->watch->watch);
}

void journal_watch_restarted(const MaterialStatus *material)
{
        LogField fields[] = {{"BINLOG_SSL_MATERIAL", material->config->name}};

        log_send(LOG_WARNING, ID_WATCH_RESTARTED, fields, ARRAY_SIZE(fields),
                "material %s: the watch process %s and is started again; the files are then read "
                "once more",
                material->config->name, material->watch_process->end);
}

void journal_file_system(const MaterialStatus *material)
{
        LogField fields[] = {{"BINLOG_SSL_MATERIAL", material->config->name}};
        char time[CLOCK_TEXT_SIZE];

        if (material->not_responding_since_at_usec > 0)
                log_send(LOG_ERR, ID_FILE_SYSTEM_SILENT, fields, ARRAY_SIZE(fields),
                        "material %s: the file system of %s has not answered since %s; its last "
                        "known state stays",
                        material->config->name, material->config->directory,
                        clock_format_time(time, material->not_responding_since_at_usec));
        else
                log_send(LOG_NOTICE, ID_FILE_SYSTEM_ANSWERS, fields, ARRAY_SIZE(fields),
                        "material %s: the file system of %s answers again", material->config->name,
                        material->config->directory);
}

typedef struct ImportFields {
        char number[16], attempt[16], duration[24];
        LogField fields[6];
} ImportFields;

static void import_fields(ImportFields *ret, const ClusterStatus *cluster, const Outcome *outcome)
{
        const Record *record = cluster->record;

        snprintf(ret->number, sizeof(ret->number), "%u", outcome->sql_errno);
        snprintf(ret->attempt, sizeof(ret->attempt), "%u", record->attempt.failures);
        snprintf(ret->duration, sizeof(ret->duration), "%" PRIu64, outcome->duration_usec);
        ret->fields[0] = (LogField){"BINLOG_SSL_CLUSTER", cluster->config->name};
        ret->fields[1] = (LogField){"BINLOG_SSL_FINGERPRINT", record->attempt.fingerprint};
        ret->fields[2] = (LogField){"BINLOG_SSL_OUTCOME", outcome_kind_to_string(outcome->kind)};
        ret->fields[3] = (LogField){"BINLOG_SSL_SQL_ERRNO", ret->number};
        ret->fields[4] = (LogField){"BINLOG_SSL_ATTEMPT", ret->attempt};
        ret->fields[5] = (LogField){"BINLOG_SSL_DURATION_USEC", ret->duration};
}

/* Logged once per form: afterwards the form is in the record, or configured. */
static const char *newlines_note(char buffer[static FORM_SIZE], const Outcome *outcome)
{
        const char *form = newlines_to_string(outcome->effect.newlines);

        buffer[0] = '\0';
        if (outcome->effect.newlines_learned)
                snprintf(buffer, FORM_SIZE,
                        "; the server accepted %s line ends, payload-newlines = %s sets that form",
                        form, form);
        return buffer;
}

void journal_import_succeeded(const ClusterStatus *cluster, const Outcome *outcome)
{
        ImportFields import;
        char duration[DURATION_TEXT_SIZE], form[FORM_SIZE];

        import_fields(&import, cluster, outcome);
        log_send(outcome->warning[0] != '\0' ? LOG_WARNING : LOG_NOTICE, ID_IMPORT_SUCCEEDED,
                import.fields, ARRAY_SIZE(import.fields),
                "cluster %s: set %.12s imported in %s over %s%s%s%s%s", cluster->config->name,
                cluster->record->imported.fingerprint,
                duration_format(duration, outcome->duration_usec), outcome->server.tls_version,
                outcome->effect.replication_restarted ? ", replication restarted and running" : "",
                newlines_note(form, outcome), outcome->warning[0] != '\0' ? "; warning: " : "",
                outcome->warning);
}

/* "HOST, 2027-02-01 14:05:09Z": the daemon that completed the row, and the time. */
static const char *entry_text(char *buffer, size_t size, const LedgerEntry *entry)
{
        char time[CLOCK_TEXT_SIZE];

        text_format(buffer, size, "%s, %s", entry->daemon,
                clock_format_time(time, entry->imported_at_usec));
        return buffer;
}

void journal_already_current(const ClusterStatus *cluster, const Outcome *outcome)
{
        ImportFields import;
        char entry[LEDGER_DAEMON_MAX + CLOCK_TEXT_SIZE + 2];

        import_fields(&import, cluster, outcome);
        log_send(LOG_NOTICE, ID_ALREADY_CURRENT, import.fields, ARRAY_SIZE(import.fields),
                "cluster %s: set %.12s is imported already, according to the ledger (%s)",
                cluster->config->name, cluster->record->imported.fingerprint,
                entry_text(entry, sizeof(entry), &outcome->ledger.newest));
}

void journal_import_failed(const ClusterStatus *cluster, const Outcome *outcome)
{
        const char *next = outcome_next_step(outcome->kind, outcome->next_step);
        ImportFields import;
        char number[32] = "", form[FORM_SIZE];

        import_fields(&import, cluster, outcome);
        if (outcome->sql_errno > 0)
                snprintf(number, sizeof(number), " (error %u)", outcome->sql_errno);
        log_send(outcome_is_transient(outcome->kind, outcome->sql_errno) ? LOG_WARNING : LOG_ERR,
                ID_IMPORT_FAILED, import.fields, ARRAY_SIZE(import.fields),
                "cluster %s: import %s%s: %s%s%s%s", cluster->config->name,
                outcome_kind_to_string(outcome->kind), number, outcome->text,
                next[0] != '\0' ? "; " : "", next, newlines_note(form, outcome));
}

void journal_removal(const ClusterStatus *cluster, const Outcome *outcome)
{
        bool removed = outcome->kind == OUTCOME_REMOVED;
        const char *text = removed ? outcome->warning : outcome->text;
        const char *next = summary_removal_next_step(cluster);
        ImportFields import;

        import_fields(&import, cluster, outcome);
        import.fields[1] = import.fields[5]; /* without a set and its attempts */
        log_send(removed ? text[0] != '\0' ? LOG_WARNING : LOG_NOTICE : LOG_ERR,
                removed ? ID_REMOVED : ID_REMOVAL_FAILED, import.fields, 4,
                "cluster %s: %s%s%s%s%s%s", cluster->config->name,
                removed ? "the client material is removed" : "the client material is not removed: ",
                removed ? "" : outcome_kind_to_string(outcome->kind), text[0] != '\0' ? ": " : "",
                text, next[0] != '\0' ? "; " : "", next);
}

void journal_check(const ClusterStatus *cluster, const Outcome *outcome)
{
        LogField fields[] = {
                {"BINLOG_SSL_CLUSTER", cluster->config->name},
                {"BINLOG_SSL_OUTCOME", outcome_kind_to_string(outcome->kind)},
        };
        const char *next = cluster->check.next_step;

        if (cluster->check.error[0] == '\0')
                log_send(LOG_NOTICE, ID_CHECK_WORKS, fields, 1,
                        "cluster %s: the check succeeds again", cluster->config->name);
        else
                log_send(LOG_WARNING, ID_CHECK_FAILED, fields, ARRAY_SIZE(fields),
                        "cluster %s: the check failed: %s: %s%s%s", cluster->config->name,
                        outcome_kind_to_string(outcome->kind), cluster->check.error,
                        next[0] != '\0' ? "; " : "", next);
}

void journal_server_changed(const ClusterStatus *cluster, const Outcome *outcome)
{
        LogField fields[] = {{"BINLOG_SSL_CLUSTER", cluster->config->name}};

        log_send(LOG_NOTICE, ID_SERVER_CHANGED, fields, ARRAY_SIZE(fields),
                "cluster %s: %s:%u is another server than before (server_uuid %s); nothing is known "
                "of it, so the set on disk is imported",
                cluster->config->name, cluster->config->login.host, cluster->config->login.port,
                outcome->server.uuid);
}

void journal_drift(const ClusterStatus *cluster, const Outcome *outcome)
{
        const LedgerEntry *ledger = &outcome->ledger.newest;
        LogField fields[] = {
                {"BINLOG_SSL_CLUSTER", cluster->config->name},
                {"BINLOG_SSL_FINGERPRINT", ledger->set.fingerprint},
        };
        char entry[LEDGER_DAEMON_MAX + CLOCK_TEXT_SIZE + 2];

        if (ledger->state == LEDGER_STATE_IMPORTED)
                log_send(LOG_WARNING, ID_DRIFT, fields, ARRAY_SIZE(fields),
                        "cluster %s: the ledger names set %.12s (%s), not the set of the record",
                        cluster->config->name, ledger->set.fingerprint,
                        entry_text(entry, sizeof(entry), ledger));
        else
                log_send(LOG_WARNING, ID_DRIFT, fields, 1,
                        "cluster %s: the ledger names no completed import", cluster->config->name);
}

void journal_replication(const ClusterStatus *cluster)
{
        LogField fields[] = {{"BINLOG_SSL_CLUSTER", cluster->config->name}};
        const Replication *replication = cluster->replication;
        ReplicationState state = replication_state(replication);
        bool io_fails = replication->io_errno != 0;
        char reason[SUMMARY_TEXT_MAX];

        if (state == REPLICATION_STATE_STOPPED) {
                replication_state_reason(reason, sizeof(reason), replication);
                log_send(LOG_WARNING, ID_REPLICATION_HALTED, fields, ARRAY_SIZE(fields),
                        "cluster %s: %s; %s", cluster->config->name, reason,
                        replication_state_next_step(replication));
        } else if (state == REPLICATION_STATE_FAILING)
                log_send(LOG_ERR, ID_REPLICATION_BROKEN, fields, ARRAY_SIZE(fields),
                        "cluster %s: replication does not run, %s thread %s (error %u): %s",
                        cluster->config->name, io_fails ? "I/O" : "SQL",
                        io_fails ? replication->io_running : replication->sql_running,
                        io_fails ? replication->io_errno : replication->sql_errno,
                        io_fails ? replication->io_error : replication->sql_error);
        else
                log_send(LOG_NOTICE, ID_REPLICATION_RUNS, fields, ARRAY_SIZE(fields),
                        "cluster %s: replication is %s, without an error", cluster->config->name,
                        replication_state_to_string(state));
}

void journal_replication_stopped(const ClusterStatus *cluster)
{
        LogField fields[] = {
                {"BINLOG_SSL_CLUSTER", cluster->config->name},
                {"BINLOG_SSL_FINGERPRINT", cluster->record->stop.fingerprint},
        };
        char reason[SUMMARY_TEXT_MAX];

        summary_stop_reason(reason, sizeof(reason), cluster);
        log_send(LOG_ERR, ID_REPLICATION_STOPPED, fields, ARRAY_SIZE(fields), "cluster %s: %s; %s",
                cluster->config->name, reason, summary_stop_next_step(cluster));
}

void journal_replication_started(const ClusterStatus *cluster)
{
        LogField fields[] = {{"BINLOG_SSL_CLUSTER", cluster->config->name}};

        log_send(LOG_NOTICE, ID_REPLICATION_STARTED, fields, ARRAY_SIZE(fields),
                "cluster %s: replication that an import had stopped is started again",
                cluster->config->name);
}

void journal_replication_healing(const ClusterStatus *cluster)
{
        LogField fields[] = {
                {"BINLOG_SSL_CLUSTER", cluster->config->name},
                {"BINLOG_SSL_FINGERPRINT", cluster->record->imported.fingerprint},
        };

        log_send(LOG_WARNING, ID_REPLICATION_HEALING, fields, ARRAY_SIZE(fields),
                "cluster %s: replication fails with TLS (error %u), so set %.12s is imported once "
                "more; the next time at the earliest in 15 min",
                cluster->config->name, cluster->replication->io_errno,
                cluster->record->imported.fingerprint);
}

void journal_watchdog_stopped(const char *material, const char *cluster, const char *reason)
{
        LogField fields[] = {{"BINLOG_SSL_MATERIAL", material}, {"BINLOG_SSL_CLUSTER", cluster}};

        log_send(LOG_CRIT, ID_WATCHDOG_STOPPED, fields, ARRAY_SIZE(fields),
                "%s %s: %s; the watchdog is not pinged any more", material ? "material" : "cluster",
                material ? material : cluster, reason);
}

void journal_record_unreadable(const char *cluster, int error)
{
        LogField fields[] = {{"BINLOG_SSL_CLUSTER", cluster}};

        log_send(LOG_WARNING, ID_RECORD_UNREADABLE, fields, ARRAY_SIZE(fields),
                "cluster %s: the record cannot be read (%s); nothing is known, the set is imported "
                "again",
                cluster, strerror(abs(error)));
}

void journal_record_unwritable(const char *cluster, int error)
{
        LogField fields[] = {{"BINLOG_SSL_CLUSTER", cluster}};

        log_send(LOG_WARNING, ID_RECORD_UNWRITABLE, fields, ARRAY_SIZE(fields),
                "cluster %s: the record cannot be written (%s); until it is, a restart imports the "
                "set again",
                cluster, strerror(abs(error)));
}

void journal_record_written(const char *cluster)
{
        LogField fields[] = {{"BINLOG_SSL_CLUSTER", cluster}};

        log_send(LOG_NOTICE, ID_RECORD_WRITTEN, fields, ARRAY_SIZE(fields),
                "cluster %s: the record is written again", cluster);
}
