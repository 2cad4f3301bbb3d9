#include "daemon/status/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/status/summary-material.h"

#define ID_STARTED               "feb798dbbed84a93b0a6799d4891793e"
#define ID_STOPPING              "88fa697c45d6451daf8302441f7a7598"
#define ID_CONFIGURATION_INVALID "86c7dbb8b9914c9082a6ea08aa5c5807"
#define ID_FAILURE               "7df68a7b3fe54d6ba970de583621d08a"
#define ID_MATERIAL_GOOD         "f84392335933486484b557325c5dcf33"
#define ID_MATERIAL_BAD          "f88b0bcfc1354841a72a9bc764974fe0"
#define ID_MATERIAL_WAITING      "88489fdbcd61485a95281ce993a4413e"
#define ID_WATCH_DEGRADED        "41e77ca381654290a074cae04b94ab3f"
#define ID_WATCH_RESTORED        "6c3ae8f1e85a48dabb18f96c7f785da2"
#define ID_CLIENT_REFUSED        "25a5dd4fe0274f1a91c442a4fa8011a2"
#define ID_WATCH_RESTARTED       "4b20eb0ef3244d6e9ec80a25eff6508b"
#define ID_FILE_SYSTEM_SILENT    "0b65f83776514493b6bae19a2013769f"
#define ID_FILE_SYSTEM_ANSWERS   "2dbf32a14d304e11a98295f9aa545a5f"
#define ID_MATERIAL_EXPIRING     "c3b3612523384d20a977949aa1fbed3d"
#define ID_RELOADED              "0faad106cc5047c7b16fec97102e5a69"
#define ID_CLUSTER_TWIN          "a76ab9a0c0b440be837896df3b64ca42"
#define ID_RELOAD_REFUSED        "182df1b6d99048a380ee7b9e80ef9a25"
#define ID_METRICS_UNWRITABLE    "10015df85062424b8418cbabcb21086d"
#define ID_METRICS_WRITABLE      "87847669b41a4035b08c64c78a143bd6"
#define ID_WAVE_HOLDING          "bcb16dae5406446d8e55a62c6fe612ab"
#define ID_WAVE_OPEN             "3761ae895f5b4e65bc80c0e3fe688b3e"
#define ID_WAVE_STOPPED          "e70487b8ead1428cbf7dc6d6dfad3664"
#define ID_WATCHDOG_STOPPED      "051e94e70f90410093ceed0bdc8fd5dc"
#define ID_RECORD_UNREADABLE     "cb33a68761024cd38c01ddf042f20208"
#define ID_RECORD_UNWRITABLE     "115ddc6856f14c548d11a3d90dde0062"
#define ID_RECORD_WRITTEN        "8ec42981754548888db3a88c4ba91f8a"

static const char *plural(size_t n)
{
        return n == 1 ? "" : "s";
}

static void log_twins(const Config *config)
{
        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];
                LogField fields[] = {{"BINLOG_SSL_CLUSTER", cluster->name}};

                if (cluster->twin)
                        log_send(LOG_WARNING, ID_CLUSTER_TWIN, fields, ARRAY_SIZE(fields),
                                "cluster %s: cluster %s has the same host and port; each set is "
                                "imported there twice",
                                cluster->name, cluster->twin);
        }
}

void journal_started(const char *version, const Config *config)
{
        log_send(LOG_INFO, ID_STARTED, NULL, 0,
                "binlog-ssld %s started: %zu cluster%s, %zu material%s", version,
                config->n_clusters, plural(config->n_clusters), config->n_materials,
                plural(config->n_materials));
        log_twins(config);
}

void journal_stopping(unsigned running_imports, uint64_t left_usec)
{
        if (running_imports == 0)
                log_send(LOG_INFO, ID_STOPPING, NULL, 0, "stopping; no import runs");
        else
                log_send(LOG_INFO, ID_STOPPING, NULL, 0,
                        "stopping; waiting for %u running import%s, at most %" PRIu64
                        " s (import-timeout); a second signal ends them",
                        running_imports, plural(running_imports),
                        (left_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
}

static void log_problem(const char *message_id, const char *prefix, const ConfigProblem *problem)
{
        char text[CONFIG_PROBLEM_SIZE];

        config_problem_format(text, problem);
        log_send(LOG_ERR, message_id, NULL, 0, "%s%s", prefix, text);
}

void journal_configuration_invalid(const ConfigProblem *problem)
{
        log_problem(ID_CONFIGURATION_INVALID, "", problem);
}

void journal_reloaded(const Config *config)
{
        log_send(LOG_NOTICE, ID_RELOADED, NULL, 0,
                "configuration reloaded: %zu cluster%s, %zu material%s", config->n_clusters,
                plural(config->n_clusters), config->n_materials, plural(config->n_materials));
        log_twins(config);
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
                "material %s expires within %s: %s", material->config->name,
                duration_format(within, report->expires_within_usec), expiry ? expiry->text : "");
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
                        "material %s: the rollout of set %.12s is stopped: %s; %u other cluster%s "
                        "still without it",
                        material->config->name, material->report->fingerprint, reason,
                        wave->n_waiting, plural(wave->n_waiting));
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

void journal_client_refused(uid_t uid, unsigned n_of_user)
{
        char number[16];
        LogField fields[] = {{"BINLOG_SSL_UID", number}};

        text_format(number, sizeof(number), "%u", (unsigned)uid);
        log_send(LOG_WARNING, ID_CLIENT_REFUSED, fields, ARRAY_SIZE(fields),
                "a client of the socket was refused: user %u has %u connections; further "
                "refusals are logged once a minute",
                (unsigned)uid, n_of_user);
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
