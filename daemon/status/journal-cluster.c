#include "daemon/status/journal-cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/model/replication-state.h"
#include "daemon/status/summary-cluster.h"

#define ID_IMPORT_SUCCEEDED    "b67f353081314b519eb3c9b2dce500de"
#define ID_IMPORT_FAILED       "98dea10add2344349ad6838505da5c41"
#define ID_ALREADY_CURRENT     "2dac10bbde2c4254b74c98fef7cc3201"
#define ID_CHECK_FAILED        "d3acf8e8219c4a6b8dc22bf515a40177"
#define ID_CHECK_WORKS         "23466c6bb71d43ee974d050ed2e7d0c3"
#define ID_SERVER_CHANGED      "4a78213283a94af18260cc0c5c69577b"
#define ID_DRIFT               "021bc3d3f75043ec9af06cdf537887e9"
#define ID_REPLICATION_BROKEN  "3e809c83646c47e1b565add61f354458"
#define ID_REPLICATION_RUNS    "7ff6d900ea714fb9b1013b80b0085e1d"
#define ID_REPLICATION_HALTED  "305a75b1f23a4b5c8909bc5b4cdfd608"
#define ID_REPLICATION_STOPPED "61393cf7855c417ab8ee6f69488c2c21"
#define ID_REPLICATION_STARTED "0c373fd4f92b44fb969c54cd5477acd4"
#define ID_REPLICATION_HEALING "9ec5fa3202ef45098366f0d1b82b7978"
#define ID_REMOVED             "26cc8300e32b4b09b12ba59f26f37329"
#define ID_REMOVAL_FAILED      "15bea468dfd142b9ba0c80c813b6c197"

#define FORM_SIZE 96

typedef struct ImportFields {
        char number[16], attempt[16], duration[24];
        LogField fields[6];
} ImportFields;

/* A success ends the count of attempts, which is the last field. */
#define N_FIELDS_OF_SUCCESS 5

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
        ret->fields[4] = (LogField){"BINLOG_SSL_DURATION_USEC", ret->duration};
        ret->fields[N_FIELDS_OF_SUCCESS] = (LogField){"BINLOG_SSL_ATTEMPT", ret->attempt};
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
                import.fields, N_FIELDS_OF_SUCCESS,
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
        log_send(LOG_NOTICE, ID_ALREADY_CURRENT, import.fields, N_FIELDS_OF_SUCCESS,
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
        import.fields[1] = import.fields[4]; /* without a set and its attempts */
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
        const KeptOutcome *failure = &cluster->check.failure;
        const char *next = kept_outcome_next_step(failure);

        if (!failure->known)
                log_send(LOG_NOTICE, ID_CHECK_WORKS, fields, 1,
                        "cluster %s: the check succeeds again", cluster->config->name);
        else
                log_send(LOG_WARNING, ID_CHECK_FAILED, fields, ARRAY_SIZE(fields),
                        "cluster %s: the check failed: %s: %s%s%s", cluster->config->name,
                        outcome_kind_to_string(outcome->kind), kept_outcome_reason(failure),
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
                        replication_state_next_step(replication, cluster->config->replication));
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
