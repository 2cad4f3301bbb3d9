#include "daemon/import/import.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/replication-repoint.h"
#include "daemon/import/replication-start.h"
#include "daemon/import/replication-stop.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"
#include "daemon/source/source-probe.h"

/* The offset is a lower bound, because the text of the CALL precedes the payload. */
static bool check_logs(Outcome *ret, Session *session, const Preflight *preflight, Policy policy,
        const CallPayload *payload)
{
        size_t key_offset = call_key_offset(payload->data, payload->size);
        char text[OUTCOME_TEXT_MAX];

        if (!preflight_would_log_key(text, sizeof(text), preflight, key_offset))
                return true;
        if (policy == POLICY_WARN)
                text_set(ret->warning, sizeof(ret->warning), text);
        if (policy != POLICY_REFUSE)
                return true;
        ret->kind = OUTCOME_REFUSED_LOG;
        text_set(ret->text, sizeof(ret->text), text);
        if (preflight->general_privilege_missing || preflight->slow_privilege_missing)
                sql_error_advise_logs(ret, session, preflight->general_privilege_missing);
        return false;
}

/* A server without a role is not_writer as well: either a failover, which is transient, or
 * `host` is not a cluster endpoint. */
static bool check_server(Attempt *attempt, const CallPayload *payload)
{
        const ImportTask *task = attempt->task;
        Preflight *preflight = &attempt->preflight;
        Outcome *ret = attempt->outcome;
        SessionError error = {0};
        const char *why;
        SessionResult result =
                preflight_run(preflight, attempt->session, task->cluster->login.user, &error);

        if (sql_error_fail(ret, result, &error, NULL))
                return false;
        text_set(ret->server.uuid, sizeof(ret->server.uuid), preflight->server_uuid);
        /* The role comes last: no setting permits a non-writer. A reader's logs are irrelevant. */
        if (!preflight->reader && task->action == IMPORT_ACTION_IMPORT &&
                !check_logs(ret, attempt->session, preflight, task->cluster->query_log, payload))
                return false;
        why = preflight_not_writer_reason(preflight);
        if (!why)
                return true;
        ret->warning[0] = '\0';
        ret->kind = OUTCOME_NOT_WRITER;
        text_set(ret->text, sizeof(ret->text), why);
        return false;
}

static bool ledger_failed(Outcome *ret, Session *session, const char *table, SessionResult result,
        const SessionError *error)
{
        char context[CONFIG_VALUE_MAX + sizeof("ledger ")];

        snprintf(context, sizeof(context), "ledger %s", table);
        if (!sql_error_fail(ret, result, error, context))
                return false;
        sql_error_advise_table(ret, session, table);
        if (ret->next_step[0] != '\0')
                ret->kind = OUTCOME_NO_PRIVILEGE;
        return true;
}

static bool read_ledger(Outcome *ret, Ledger *ledger, Session *session, const char *table)
{
        SessionError error = {0};
        SessionResult result = ledger_read(ledger, &ret->ledger, session, table, &error);

        return !ledger_failed(ret, session, table, result, &error);
}

static bool acquire_lock(Attempt *attempt)
{
        unsigned wait_sec = (unsigned)(clock_left_usec(attempt->deadline_usec) / USEC_PER_SEC / 2);
        Outcome *ret = attempt->outcome;
        SessionError error = {0};
        bool locked;
        SessionResult result = ledger_lock(&locked, attempt->session, wait_sec, &error);

        if (ledger_failed(ret, attempt->session, attempt->task->cluster->ledger, result, &error))
                return false;
        if (locked)
                return true;
        ret->kind = OUTCOME_TIMED_OUT;
        text_set(ret->text, sizeof(ret->text),
                "another daemon holds the lock of this cluster: its import still runs, or hangs");
        return false;
}

/* Returns false if the outcome is final without a CALL. */
static bool compare_ledger(Attempt *attempt)
{
        const ImportTask *task = attempt->task;
        Ledger *ledger = &attempt->ledger;
        Outcome *ret = attempt->outcome;
        LedgerComparison comparison;
        char time[CLOCK_TEXT_SIZE];

        if (!read_ledger(ret, ledger, attempt->session, task->cluster->ledger))
                return false;
        comparison = task->forced ? LEDGER_IMPORT : ledger_compare(ledger, &task->set);
        if (comparison == LEDGER_CURRENT) {
                ret->kind = OUTCOME_ALREADY_CURRENT;
                return false;
        }
        if (comparison == LEDGER_SUPERSEDED) {
                ret->kind = OUTCOME_SUPERSEDED;
                text_format(ret->text, sizeof(ret->text),
                        "%s has brought a newer set here (%.12s, %s); the one on this "
                        "disk is older",
                        ret->ledger.newest.daemon, ret->ledger.newest.set.fingerprint,
                        ret->ledger.newest.imported_at_usec > 0
                                ? clock_format_time(time, ret->ledger.newest.imported_at_usec)
                                : "not completed");
                return false;
        }
        return true;
}

/* Asks the replication source, if that is configured. */
static bool probe_source(Attempt *attempt, const CallPayload *payload)
{
        static const char *const names[_MATERIAL_FILE_MAX] = {
                [MATERIAL_CA] = "ssl_ca",
                [MATERIAL_CERT] = "ssl_cert",
                [MATERIAL_KEY] = "ssl_key",
        };
        const ClusterConfig *cluster = attempt->task->cluster;
        Secret pem[_MATERIAL_FILE_MAX] = {0};
        bool proceeds = false;
        int r = 0;

        if (cluster->source_probe == SOURCE_PROBE_OFF)
                return true;
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX && r == 0; file++)
                r = call_payload_member(&pem[file], payload, names[file]);
        if (r == 0)
                proceeds = source_probe_run(
                        attempt->outcome, attempt->session, cluster, pem, attempt->deadline_usec);
        else {
                attempt->outcome->kind = OUTCOME_CRASHED;
                text_format(attempt->outcome->text, sizeof(attempt->outcome->text),
                        "the set cannot be read for the probe of the source: %s", strerror(-r));
        }
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                secret_done(&pem[file]);
        return proceeds;
}

/* The ledger and the source are asked first. */
static bool is_to_be_imported(Attempt *attempt, const CallPayload *payload)
{
        return (attempt->task->cluster->ledger[0] == '\0' || compare_ledger(attempt)) &&
                probe_source(attempt, payload);
}

static bool begin_row(Attempt *attempt, uint64_t *ret_row)
{
        const ImportTask *task = attempt->task;
        const char *table = task->cluster->ledger;
        SessionError error = {0};
        SessionResult result = ledger_begin(
                ret_row, attempt->session, table, &attempt->ledger, &task->set, &error);

        return !ledger_failed(attempt->outcome, attempt->session, table, result, &error);
}

/* Completes the row, unless there is none (0) or the result of the CALL is unknown. An error here
 * does not change the result of the import. */
static void end_row(Attempt *attempt, uint64_t row)
{
        const char *table = attempt->task->cluster->ledger;
        Outcome *ret = attempt->outcome;
        char text[OUTCOME_TEXT_MAX];
        SessionError error = {0};

        if (row == 0 || (!ret->effect.committed && ret->kind == OUTCOME_UNKNOWN))
                return;
        if (ledger_finish(attempt->session, table, row, ret->effect.committed, &error) !=
                        SESSION_OK &&
                ret->effect.committed) {
                text_format(text, sizeof(text),
                        "ledger %s could not be completed, so the set is imported again: %s", table,
                        error.text);
                outcome_add_warning(ret, text);
        }
}

/* Replication is stopped, by this program. */
static void start(Attempt *attempt)
{
        if (outcome_is_success(attempt->outcome->kind)) {
                attempt->outcome->effect.restart_due = true;
                if (attempt->task->cluster->replication == REPLICATION_REPOINT)
                        (void)replication_repoint_run(attempt);
        }
        replication_start_run(attempt);
}

/* After an outcome that ends before the stop: an importer that has stopped replication may have
 * died before its start. */
static void recover(Attempt *attempt)
{
        SessionError error = {0};
        SessionResult result;

        if (replication_stop_read(attempt, &result, &error) != REPLICATION_DUTY_START)
                return;
        attempt->outcome->effect.restart_due = outcome_is_success(attempt->outcome->kind);
        if (attempt->task->cluster->replication == REPLICATION_REPOINT &&
                outcome_is_success(attempt->outcome->kind))
                (void)replication_repoint_prepare(attempt);
        start(attempt);
}

/* The CALL, and replication around it if that is this program's to restart. */
static void run(Attempt *attempt, const CallPayload *payload, uint64_t row)
{
        const ClusterConfig *cluster = attempt->task->cluster;
        Outcome *ret = attempt->outcome;
        SessionError error = {0};
        bool starts = false, proceeds = true;

        if (replication_mode_restarts(cluster->replication))
                proceeds = replication_stop_run(attempt, &starts);
        if (proceeds && attempt->task->action == IMPORT_ACTION_IMPORT)
                call_import(ret, attempt->session, payload, cluster->newlines);
        end_row(attempt, row);
        if (starts)
                start(attempt);
        else if (cluster->replication == REPLICATION_OBSERVE && ret->kind == OUTCOME_IMPORTED)
                /* Without the privilege the status stays unknown; the import succeeded anyway. */
                (void)replica_status_read(&ret->replication, attempt->session, &error);
}

void import_run(Outcome *ret, Session *session, const ImportTask *task, const CallPayload *payload,
        const StopNote *note, uint64_t deadline_usec)
{
        Attempt attempt = {.outcome = ret,
                .session = session,
                .task = task,
                .note = note,
                .deadline_usec = deadline_usec};
        const ClusterConfig *cluster = task->cluster;
        bool imports = task->action == IMPORT_ACTION_IMPORT;
        bool restarts = replication_mode_restarts(cluster->replication);
        bool stopped = task->stop.at_usec > 0, ledger_used = cluster->ledger[0] != '\0';
        LedgerReading unused;
        SessionError error;
        uint64_t row = 0;

        ret->kind = OUTCOME_IMPORTED;
        if (!check_server(&attempt, payload) || (ledger_used && !acquire_lock(&attempt)))
                return;
        if (ledger_used && !imports) /* only for a stop, which is also on record */
                (void)ledger_read(&attempt.ledger, &unused, session, cluster->ledger, &error);
        /* What was stopped is started, whatever `replication` is now. */
        if (task->action == IMPORT_ACTION_START_REPLICATION || (stopped && !imports && !restarts)) {
                replication_start_resume(&attempt);
                return;
        }
        if (imports && !is_to_be_imported(&attempt, payload)) {
                if (restarts || stopped)
                        recover(&attempt);
        } else if (!ledger_used || !imports || begin_row(&attempt, &row))
                run(&attempt, payload, row);
        secret_done(&attempt.source_password);
}

void import_check(Outcome *ret, Session *session, const ClusterConfig *cluster)
{
        Preflight preflight = {0};
        SessionError error = {0};
        SessionResult result = preflight_identify(&preflight, session, &error);
        Ledger ledger;

        ret->kind = OUTCOME_ALREADY_CURRENT;
        if (sql_error_fail(ret, result, &error, NULL))
                return;
        text_set(ret->server.uuid, sizeof(ret->server.uuid), preflight.server_uuid);
        if (cluster->ledger[0] != '\0' && !read_ledger(ret, &ledger, session, cluster->ledger))
                return;
        if (cluster->replication == REPLICATION_IGNORE)
                return;
        result = replica_status_read(&ret->replication, session, &error);
        if (sql_error_fail(ret, result, &error, NULL))
                sql_error_advise_status(ret, session);
}
