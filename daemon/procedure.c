#include "daemon/procedure.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/fault.h"
#include "daemon/payload.h"
#include "daemon/preflight.h"
#include "daemon/replication.h"
#include "daemon/restart.h"

#define PROCEDURE_NAME "rds_import_binlog_ssl_material"
#define PROCEDURE_CALL "CALL mysql." PROCEDURE_NAME "(?)"

/* A rejection that can be about the form of the document: the procedure's own signal, or an error
 * of the server's JSON functions (MySQL 3140 to 3158, MariaDB 4035 to 4043). */
static bool may_be_form(SessionFault fault, unsigned number)
{
        return fault == SESSION_SERVER &&
                (number == 1644 || (number >= 3140 && number <= 3158) ||
                        (number >= 4035 && number <= 4043));
}

static SessionFault call_in_form(Session *session, const ProcedureTask *task, Newlines form,
        bool *ret_sent, SessionError *ret_error)
{
        CLEANUP(secret_done) Secret payload = SECRET_NULL;
        int r;

        *ret_sent = false;
        if (form == NEWLINES_RAW)
                r = payload_to_raw(&payload, task->payload, task->payload_size);
        else
                r = secret_append(&payload, task->payload, task->payload_size);
        if (r < 0) {
                text_set(ret_error->text, sizeof(ret_error->text), "out of memory");
                return SESSION_UNREACHABLE;
        }
        return session_call(session, PROCEDURE_CALL, &payload, ret_sent, ret_error);
}

/* Raw is the documented wire form, so it goes first while nothing better is known. */
static void call(Outcome *ret, Session *session, const ProcedureTask *task)
{
        Newlines configured = task->cluster->newlines;
        Newlines first = configured != NEWLINES_AUTO ? configured : task->newlines;
        Newlines form = first != NEWLINES_AUTO ? first : NEWLINES_RAW;
        SessionError error = {0}, other = {0};
        SessionFault fault;
        bool sent;

        fault = call_in_form(session, task, form, &sent, &error);
        if (configured == NEWLINES_AUTO && may_be_form(fault, error.number)) {
                form = form == NEWLINES_RAW ? NEWLINES_ESCAPED : NEWLINES_RAW;
                fault = call_in_form(session, task, form, &sent, &other);
                /* Both refused: the first answer is about the documented form. */
                if (fault != SESSION_SERVER)
                        error = other;
        }
        ret->committed = fault == SESSION_OK;
        if (fault == SESSION_OK) {
                ret->newlines = form;
                ret->form_is_news = configured == NEWLINES_AUTO && form != task->newlines;
        }
        fault_take(ret, fault, &error, sent);
        fault_advise_procedure(ret, session, PROCEDURE_NAME);
        /* Which of two different answers is about the form, nobody knows. */
        if (fault == SESSION_SERVER && other.text[0] != '\0' && strcmp(other.text, error.text) != 0)
                text_format(ret->text, sizeof(ret->text), "%s; and with %s line ends: %s",
                        error.text, newlines_to_string(form), other.text);
}

static void look_at_replication(Outcome *ret, Session *session)
{
        SessionError error = {0};

        /* The import stands whether or not this user may look: nothing is known then. */
        (void)replication_read(&ret->replication, session, clock_wall_usec(), &error);
}

/* The CALL's own text comes before the payload, so that the key begins later than this. */
static bool logs_allow(Outcome *ret, const Preflight *preflight, const ProcedureTask *task)
{
        size_t key_offset = payload_key_offset(task->payload, task->payload_size);
        Policy policy = task->cluster->query_log;
        char text[OUTCOME_TEXT_MAX];

        if (!preflight_would_keep(text, sizeof(text), preflight, key_offset))
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
static bool pass_preflight(Outcome *ret, Session *session, const ProcedureTask *task)
{
        Preflight preflight = {0};
        SessionError error = {0};
        const char *why;
        SessionFault fault = preflight_look(&preflight, session, task->cluster->user, &error);

        if (fault != SESSION_OK) {
                fault_take(ret, fault, &error, false);
                return false;
        }
        /* What no policy lets pass comes last, but a reader needs no look at its logs. */
        if (!preflight.reader && !task->reconnect_only && !logs_allow(ret, &preflight, task))
                return false;
        why = preflight_why_no_writer(&preflight);
        if (!why)
                return true;
        ret->warning[0] = '\0';
        ret->kind = OUTCOME_NOT_WRITER;
        text_set(ret->text, sizeof(ret->text), why);
        return false;
}

static bool ledger_failed(Outcome *ret, Session *session, const char *table, SessionFault fault,
        const SessionError *error)
{
        if (fault == SESSION_OK)
                return false;
        fault_take(ret, fault, error, false);
        text_format(ret->text, sizeof(ret->text), "ledger %s: %s", table, error->text);
        fault_advise_table(ret, session, table);
        if (ret->next[0] != '\0')
                ret->kind = OUTCOME_NO_PRIVILEGE;
        return true;
}

static bool read_ledger(Outcome *ret, Ledger *ledger, Session *session, const char *table)
{
        SessionError error = {0};
        SessionFault fault = ledger_read(ledger, session, table, &error);

        if (ledger_failed(ret, session, table, fault, &error))
                return false;
        ret->ledger_known = true;
        if (ledger_newest(ledger))
                ret->ledger = *ledger_newest(ledger);
        return true;
}

static bool lock(Outcome *ret, Session *session, const ProcedureTask *task)
{
        uint64_t now = clock_boottime_usec();
        uint64_t left = task->deadline_usec > now ? task->deadline_usec - now : 0;
        SessionError error = {0};
        bool locked;
        SessionFault fault =
                ledger_lock(&locked, session, (unsigned)(left / USEC_PER_SEC / 2), &error);

        if (ledger_failed(ret, session, task->cluster->ledger, fault, &error))
                return false;
        if (locked)
                return true;
        ret->kind = OUTCOME_TIMED_OUT;
        text_set(ret->text, sizeof(ret->text),
                "another daemon imports into this cluster, or hangs there: it holds the lock");
        return false;
}

/* False: `ret` says what it came to without a CALL. */
static bool enter(Outcome *ret, Ledger *ledger, uint64_t *ret_row, Session *session,
        const ProcedureTask *task)
{
        const char *table = task->cluster->ledger;
        LedgerVerdict verdict;
        char time[CLOCK_TEXT_SIZE];
        SessionError error = {0};
        SessionFault fault;

        if (!read_ledger(ret, ledger, session, table))
                return false;
        verdict = task->forced ? LEDGER_IMPORT : ledger_judge(ledger, &task->set);
        if (verdict == LEDGER_CURRENT) {
                ret->kind = OUTCOME_ALREADY_CURRENT;
                return false;
        }
        if (verdict == LEDGER_SUPERSEDED) {
                ret->kind = OUTCOME_SUPERSEDED;
                text_format(ret->text, sizeof(ret->text),
                        "%s has brought a newer set here (%.12s, %s), the one on this disk is older",
                        ret->ledger.daemon, ret->ledger.fingerprint,
                        ret->ledger.imported_at_usec > 0
                                ? clock_format_time(time, ret->ledger.imported_at_usec)
                                : "not completed");
                return false;
        }
        fault = ledger_begin(ret_row, session, table, ledger, &task->set, &error);
        return !ledger_failed(ret, session, table, fault, &error);
}

/* When it is known what came of the row's import. That stands, whatever becomes of the row. */
static void leave(Outcome *ret, Session *session, const ProcedureTask *task, uint64_t row)
{
        SessionError error = {0};

        if (!ret->committed && ret->kind == OUTCOME_UNKNOWN)
                return;
        if (ledger_finish(session, task->cluster->ledger, row, ret->committed, &error) !=
                        SESSION_OK &&
                ret->committed)
                text_format(ret->warning, sizeof(ret->warning),
                        "ledger %s could not be completed, so that it is imported once more: %s",
                        task->cluster->ledger, error.text);
}

void procedure_run(Outcome *ret, Session *session, const ProcedureTask *task)
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
        if (ledger_used && !task->reconnect_only && !enter(ret, &ledger, &row, session, task)) {
                if (restart && ret->kind == OUTCOME_ALREADY_CURRENT)
                        restart_revive(ret, session, task->deadline_usec);
                return;
        }
        if (restart && !restart_halt(ret, session, &configured)) {
                if (row > 0)
                        leave(ret, session, task, row);
                return;
        }
        if (!task->reconnect_only)
                call(ret, session, task);
        if (row > 0)
                leave(ret, session, task, row);
        if (restart && configured)
                restart_resume(ret, session, task->deadline_usec);
        else if (cluster->replication == REPLICATION_OBSERVE && ret->kind == OUTCOME_IMPORTED)
                look_at_replication(ret, session);
}

void procedure_check(Outcome *ret, Session *session, const ClusterConfig *cluster)
{
        SessionError error = {0};
        SessionFault fault;
        Ledger ledger;

        ret->kind = OUTCOME_ALREADY_CURRENT;
        if (cluster->ledger[0] != '\0' && !read_ledger(ret, &ledger, session, cluster->ledger))
                return;
        if (cluster->replication == REPLICATION_IGNORE)
                return;
        fault = replication_read(&ret->replication, session, clock_wall_usec(), &error);
        fault_take(ret, fault, &error, false);
        if (fault != SESSION_OK)
                fault_advise_status(ret, session);
}
