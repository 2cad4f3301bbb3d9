#include "daemon/import/import.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/replication-restart.h"
#include "daemon/mysql/ledger.h"
#include "daemon/mysql/preflight.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"

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
static bool check_server(
        Outcome *ret, Session *session, const ImportTask *task, const CallPayload *payload)
{
        Preflight preflight = {0};
        SessionError error = {0};
        const char *why;
        SessionResult result =
                preflight_run(&preflight, session, task->cluster->login.user, &error);

        if (sql_error_fail(ret, result, &error, NULL))
                return false;
        text_set(ret->server.uuid, sizeof(ret->server.uuid), preflight.server_uuid);
        /* The role comes last: no setting permits a non-writer. A reader's logs are irrelevant. */
        if (!preflight.reader && task->action == IMPORT_ACTION_IMPORT &&
                !check_logs(ret, session, &preflight, task->cluster->query_log, payload))
                return false;
        why = preflight_not_writer_reason(&preflight);
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

static bool acquire_lock(Outcome *ret, Session *session, const char *table, uint64_t deadline_usec)
{
        unsigned wait_sec = (unsigned)(clock_left_usec(deadline_usec) / USEC_PER_SEC / 2);
        SessionError error = {0};
        bool locked;
        SessionResult result = ledger_lock(&locked, session, wait_sec, &error);

        if (ledger_failed(ret, session, table, result, &error))
                return false;
        if (locked)
                return true;
        ret->kind = OUTCOME_TIMED_OUT;
        text_set(ret->text, sizeof(ret->text),
                "another daemon holds the lock of this cluster: its import still runs, or hangs");
        return false;
}

/* Returns false if `ret` is final without a CALL. */
static bool begin_row(
        Outcome *ret, Ledger *ledger, uint64_t *ret_row, Session *session, const ImportTask *task)
{
        const char *table = task->cluster->ledger;
        LedgerComparison comparison;
        char time[CLOCK_TEXT_SIZE];
        SessionError error = {0};
        SessionResult result;

        if (!read_ledger(ret, ledger, session, table))
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
        result = ledger_begin(ret_row, session, table, ledger, &task->set, &error);
        return !ledger_failed(ret, session, table, result, &error);
}

/* Completes the row, unless there is none (0) or the result of the CALL is unknown. An error here
 * does not change the result of the import. */
static void end_row(Outcome *ret, Session *session, const char *table, uint64_t row)
{
        SessionError error = {0};

        if (row == 0 || (!ret->effect.committed && ret->kind == OUTCOME_UNKNOWN))
                return;
        if (ledger_finish(session, table, row, ret->effect.committed, &error) != SESSION_OK &&
                ret->effect.committed)
                text_format(ret->warning, sizeof(ret->warning),
                        "ledger %s could not be completed, so the set is imported again: %s", table,
                        error.text);
}

void import_run(Outcome *ret, Session *session, const ImportTask *task, const CallPayload *payload,
        const StopNote *note, uint64_t deadline_usec)
{
        const ClusterConfig *cluster = task->cluster;
        bool imports = task->action == IMPORT_ACTION_IMPORT;
        bool restart = cluster->replication == REPLICATION_RESTART;
        bool ledger_used = cluster->ledger[0] != '\0';
        bool configured = false;
        SessionError error = {0};
        uint64_t row = 0;
        Ledger ledger;

        ret->kind = OUTCOME_IMPORTED;
        if (!check_server(ret, session, task, payload))
                return;
        if (ledger_used && !acquire_lock(ret, session, cluster->ledger, deadline_usec))
                return;
        /* What was stopped is started, whatever `replication` is now. */
        if (task->action == IMPORT_ACTION_START_REPLICATION ||
                (task->stopped && !imports && !restart)) {
                replication_restart_resume(ret, session);
                return;
        }
        if (ledger_used && imports && !begin_row(ret, &ledger, &row, session, task)) {
                if ((restart || task->stopped) && ret->kind == OUTCOME_ALREADY_CURRENT)
                        replication_restart_recover(ret, session, deadline_usec);
                return;
        }
        if (restart &&
                !replication_restart_stop(ret, session, task, note, deadline_usec, &configured)) {
                end_row(ret, session, cluster->ledger, row);
                return;
        }
        if (imports)
                call_import(ret, session, payload, cluster->newlines);
        end_row(ret, session, cluster->ledger, row);
        if (restart && configured)
                replication_restart_start(ret, session, deadline_usec);
        else if (cluster->replication == REPLICATION_OBSERVE && ret->kind == OUTCOME_IMPORTED)
                /* Without the privilege the status stays unknown; the import succeeded anyway. */
                (void)replica_status_read(&ret->replication, session, &error);
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
