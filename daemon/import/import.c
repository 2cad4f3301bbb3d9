#include "daemon/import/import.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/replication-restart.h"
#include "daemon/mysql/preflight.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"

static void look_at_replication(Outcome *ret, Session *session)
{
        SessionError error = {0};

        /* The import stands whether or not this user may look: nothing is known then. */
        (void)replica_status_read(&ret->replication, session, clock_wall_usec(), &error);
}

/* The CALL's own text comes before the payload, so that the key begins later than this. */
static bool logs_allow(Outcome *ret, const Preflight *preflight, const Import *task)
{
        size_t key_offset = call_key_offset(task->payload.data, task->payload.size);
        Policy policy = task->cluster->query_log;
        char text[OUTCOME_TEXT_MAX];

        if (!preflight_would_log_key(text, sizeof(text), preflight, key_offset))
                return true;
        if (policy == POLICY_WARN)
                text_set(ret->warning, sizeof(ret->warning), text);
        if (policy != POLICY_REFUSE)
                return true;
        ret->kind = OUTCOME_REFUSED_LOG;
        text_set(ret->text, sizeof(ret->text), text);
        return false;
}

/* A server that does not say what it is may be in the midst of a failover, or be no cluster's
 * writer: the fault passes, or `host` is to be looked at. not_writer stands for both. */
static bool pass_preflight(Outcome *ret, Session *session, const Import *task)
{
        Preflight preflight = {0};
        SessionError error = {0};
        const char *why;
        SessionResult result = preflight_run(&preflight, session, task->cluster->user, &error);

        if (sql_error_fail(ret, result, &error, NULL))
                return false;
        /* What no policy lets pass comes last, but a reader needs no look at its logs. */
        if (!preflight.reader && !task->restart_only && !logs_allow(ret, &preflight, task))
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
        SessionResult result = ledger_read(ledger, session, table, &error);

        if (ledger_failed(ret, session, table, result, &error))
                return false;
        ret->ledger.known = true;
        if (ledger_newest(ledger))
                ret->ledger.newest = *ledger_newest(ledger);
        return true;
}

static bool lock(Outcome *ret, Session *session, const Import *task)
{
        uint64_t now = clock_boottime_usec();
        uint64_t left = task->deadline_usec > now ? task->deadline_usec - now : 0;
        SessionError error = {0};
        bool locked;
        SessionResult result =
                ledger_lock(&locked, session, (unsigned)(left / USEC_PER_SEC / 2), &error);

        if (ledger_failed(ret, session, task->cluster->ledger, result, &error))
                return false;
        if (locked)
                return true;
        ret->kind = OUTCOME_TIMED_OUT;
        text_set(ret->text, sizeof(ret->text),
                "another daemon imports into this cluster, or hangs there: it holds the lock");
        return false;
}

/* False: `ret` says what it came to without a CALL. */
static bool ledger_begin_import(
        Outcome *ret, Ledger *ledger, uint64_t *ret_row, Session *session, const Import *task)
{
        const char *table = task->cluster->ledger;
        LedgerComparison verdict;
        char time[CLOCK_TEXT_SIZE];
        SessionError error = {0};
        SessionResult result;

        if (!read_ledger(ret, ledger, session, table))
                return false;
        verdict = task->forced ? LEDGER_IMPORT : ledger_compare(ledger, &task->set);
        if (verdict == LEDGER_CURRENT) {
                ret->kind = OUTCOME_ALREADY_CURRENT;
                return false;
        }
        if (verdict == LEDGER_SUPERSEDED) {
                ret->kind = OUTCOME_SUPERSEDED;
                text_format(ret->text, sizeof(ret->text),
                        "%s has brought a newer set here (%.12s, %s), the one on this disk is older",
                        ret->ledger.newest.daemon, ret->ledger.newest.set.fingerprint,
                        ret->ledger.newest.imported_at_usec > 0
                                ? clock_format_time(time, ret->ledger.newest.imported_at_usec)
                                : "not completed");
                return false;
        }
        result = ledger_begin(ret_row, session, table, ledger, &task->set, &error);
        return !ledger_failed(ret, session, table, result, &error);
}

/* When it is known what came of the row's import. That stands, whatever becomes of the row. */
static void ledger_end_import(Outcome *ret, Session *session, const Import *task, uint64_t row)
{
        SessionError error = {0};

        if (!ret->effect.committed && ret->kind == OUTCOME_UNKNOWN)
                return;
        if (ledger_finish(session, task->cluster->ledger, row, ret->effect.committed, &error) !=
                        SESSION_OK &&
                ret->effect.committed)
                text_format(ret->warning, sizeof(ret->warning),
                        "ledger %s could not be completed, so that it is imported once more: %s",
                        task->cluster->ledger, error.text);
}

void import_run(Outcome *ret, Session *session, const Import *task)
{
        const ClusterConfig *cluster = task->cluster;
        bool restart = cluster->replication == REPLICATION_RESTART;
        bool ledger_used = cluster->ledger[0] != '\0';
        bool configured = false;
        uint64_t row = 0;
        Ledger ledger;

        ret->kind = OUTCOME_IMPORTED;
        if (!pass_preflight(ret, session, task))
                return;
        if (ledger_used && !lock(ret, session, task))
                return;
        if (ledger_used && !task->restart_only &&
                !ledger_begin_import(ret, &ledger, &row, session, task)) {
                if (restart && ret->kind == OUTCOME_ALREADY_CURRENT)
                        replication_restart_recover(ret, session, task->deadline_usec);
                return;
        }
        if (restart && !replication_restart_stop(ret, session, &configured)) {
                if (row > 0)
                        ledger_end_import(ret, session, task, row);
                return;
        }
        if (!task->restart_only)
                call_import(ret, session, &task->payload, cluster->newlines);
        if (row > 0)
                ledger_end_import(ret, session, task, row);
        if (restart && configured)
                replication_restart_start(ret, session, task->deadline_usec);
        else if (cluster->replication == REPLICATION_OBSERVE && ret->kind == OUTCOME_IMPORTED)
                look_at_replication(ret, session);
}

void import_check(Outcome *ret, Session *session, const ClusterConfig *cluster)
{
        SessionError error = {0};
        SessionResult result;
        Ledger ledger;

        ret->kind = OUTCOME_ALREADY_CURRENT;
        if (cluster->ledger[0] != '\0' && !read_ledger(ret, &ledger, session, cluster->ledger))
                return;
        if (cluster->replication == REPLICATION_IGNORE)
                return;
        result = replica_status_read(&ret->replication, session, clock_wall_usec(), &error);
        if (sql_error_fail(ret, result, &error, NULL))
                sql_error_advise_status(ret, session);
}
