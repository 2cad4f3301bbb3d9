#include "daemon/procedure.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/grant.h"
#include "daemon/payload.h"
#include "daemon/preflight.h"
#include "daemon/replication.h"

#define PROCEDURE_CALL "CALL mysql.rds_import_binlog_ssl_material(?)"

/* How long replication may take to come back, and how often it is asked. The start procedure
 * itself takes three seconds and answers before a TLS failure shows (notes/aurora.md, 3). */
#define RECONNECT_WAIT_USEC  (20 * USEC_PER_SEC)
#define RECONNECT_PAUSE_USEC (100 * USEC_PER_MSEC)
#define RECONNECT_CALM_USEC  (300 * USEC_PER_MSEC)

static OutcomeKind kind_of_server_error(unsigned number)
{
        switch (number) {
        case 1305:
                return OUTCOME_NO_PROCEDURE;
        case 1370:
                return OUTCOME_NO_PRIVILEGE;
        case 1036: /* a table is read only, as under innodb_read_only */
        case 1290: /* --read-only */
        case 1836: /* read-only mode */
                return OUTCOME_NOT_WRITER;
        default:
                return OUTCOME_REJECTED;
        }
}

void procedure_take_fault(Outcome *ret, SessionFault fault, const SessionError *error, bool sent)
{
        switch (fault) {
        case SESSION_OK:
                return;
        case SESSION_UNREACHABLE:
                ret->kind = OUTCOME_UNREACHABLE;
                break;
        case SESSION_TLS:
                ret->kind = OUTCOME_TLS;
                break;
        case SESSION_AUTH:
                ret->kind = OUTCOME_AUTH;
                break;
        case SESSION_TIMED_OUT:
                ret->kind = sent ? OUTCOME_UNKNOWN : OUTCOME_TIMED_OUT;
                break;
        case SESSION_LOST:
                ret->kind = sent ? OUTCOME_UNKNOWN : OUTCOME_UNREACHABLE;
                break;
        case SESSION_SERVER:
        case _SESSION_FAULT_MAX:
                ret->kind = kind_of_server_error(error->number);
                break;
        }
        ret->sql_errno = error->number;
        memcpy(ret->sql_state, error->state, sizeof(ret->sql_state));
        text_set(ret->text, sizeof(ret->text), error->text);
}

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

static void on_account(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        (void)names;
        if (n_columns == 1 && values[0])
                text_set(userdata, GRANT_ACCOUNT_MAX, values[0]);
}

/* Says which statement gives the account what it lacks: a procedure (1370), or the right to look at
 * replication (1227, and then `procedure` is NULL). Who one is costs a round trip, and only then. */
static void advise(Outcome *ret, Session *session, const char *procedure)
{
        char account[GRANT_ACCOUNT_MAX] = "", grant[GRANT_TEXT_MAX];
        SessionError error;

        if (ret->sql_errno != (procedure ? 1370 : 1227) ||
                session_query(session, "SELECT CURRENT_USER()", on_account, account, &error) !=
                        SESSION_OK ||
                account[0] == '\0')
                return;
        if (!procedure) {
                grant_status(ret->next, sizeof(ret->next), ret->server_version, account);
                return;
        }
        grant_procedure(grant, sizeof(grant), procedure, account);
        text_format(ret->next, sizeof(ret->next),
                "%s; when it answers that there is no such procedure, check host and the Aurora "
                "MySQL version",
                grant);
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
        if (fault == SESSION_OK)
                ret->newlines = form;
        procedure_take_fault(ret, fault, &error, sent);
        advise(ret, session, "rds_import_binlog_ssl_material");
}

static void look_at_replication(Outcome *ret, Session *session)
{
        SessionError error = {0};

        /* The import stands whether or not this user may look: nothing is known then. */
        (void)replication_read(&ret->replication, session, clock_wall_usec(), &error);
}

static void pause_usec(uint64_t usec)
{
        struct timespec time = {.tv_sec = (time_t)(usec / USEC_PER_SEC),
                .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000};

        (void)nanosleep(&time, NULL);
}

/* Waits until both threads run and go on running for a moment. */
static bool wait_until_running(Outcome *ret, Session *session, uint64_t deadline_usec)
{
        uint64_t until = clock_boottime_usec() + RECONNECT_WAIT_USEC;
        uint64_t running_since = 0;

        if (until > deadline_usec)
                until = deadline_usec;
        for (;;) {
                uint64_t now = clock_boottime_usec();
                SessionError error = {0};

                if (replication_read(&ret->replication, session, clock_wall_usec(), &error) !=
                        SESSION_OK) {
                        text_format(ret->text, sizeof(ret->text), "SHOW REPLICA STATUS: %s",
                                error.text);
                        ret->sql_errno = error.number;
                        return false;
                }
                if (!replication_is_running(&ret->replication))
                        running_since = 0;
                else if (running_since == 0)
                        running_since = now;
                else if (now - running_since >= RECONNECT_CALM_USEC)
                        return true;
                if (now >= until)
                        return false;
                pause_usec(RECONNECT_PAUSE_USEC);
        }
}

static void reconnect(Outcome *ret, Session *session, const ProcedureTask *task)
{
        const Replication *replication = &ret->replication;
        SessionError error = {0};
        SessionFault fault = replication_start(session, &error);

        if (ret->kind != OUTCOME_IMPORTED)
                return; /* started again, but the import's own failure is the news */
        if (fault != SESSION_OK) {
                ret->kind = OUTCOME_REPLICATION_FAILED;
                ret->sql_errno = error.number;
                text_format(ret->text, sizeof(ret->text), "rds_start_replication: %s", error.text);
                advise(ret, session, "rds_start_replication");
                return;
        }
        if (wait_until_running(ret, session, task->deadline_usec - USEC_PER_SEC)) {
                ret->reconnected = true;
                return;
        }
        ret->kind = OUTCOME_REPLICATION_FAILED;
        if (ret->text[0] != '\0')
                return;
        ret->sql_errno =
                replication->io_errno != 0 ? replication->io_errno : replication->sql_errno;
        text_format(ret->text, sizeof(ret->text),
                "replication does not run (I/O thread %s, SQL thread %s): %s",
                replication->io_running, replication->sql_running,
                replication->io_error[0] != '\0' ? replication->io_error : replication->sql_error);
}

/* Stops a replica that does something. False: it could not, and `ret` says why. */
static bool halt(Outcome *ret, Session *session, bool *ret_configured)
{
        const char *procedure = NULL;
        SessionError error = {0};
        SessionFault fault;

        fault = replication_read(&ret->replication, session, clock_wall_usec(), &error);
        *ret_configured = fault == SESSION_OK && ret->replication.configured;
        if (fault == SESSION_OK && replication_is_active(&ret->replication)) {
                procedure = "rds_stop_replication";
                fault = replication_stop(session, &error);
        }
        if (fault == SESSION_OK)
                return true;
        procedure_take_fault(ret, fault, &error, false);
        if (fault == SESSION_SERVER && ret->kind != OUTCOME_NOT_WRITER) {
                ret->kind = OUTCOME_REPLICATION_FAILED;
                text_format(ret->text, sizeof(ret->text), "before the import: %s: %s",
                        procedure ? procedure : "SHOW REPLICA STATUS", error.text);
                advise(ret, session, procedure);
        }
        return false;
}

void procedure_run(Outcome *ret, Session *session, const ProcedureTask *task)
{
        const ClusterConfig *cluster = task->cluster;
        bool restart = cluster->replication == REPLICATION_RESTART;
        bool configured = false;
        Preflight preflight;
        SessionError error = {0};
        SessionFault fault;

        ret->kind = OUTCOME_IMPORTED;
        fault = preflight_look(&preflight, session, &error);
        if (fault != SESSION_OK) {
                procedure_take_fault(ret, fault, &error, false);
                return;
        }
        if (preflight.reader) {
                ret->kind = OUTCOME_NOT_WRITER;
                text_set(ret->text, sizeof(ret->text),
                        "this server is a reader (innodb_read_only = 1)");
                return;
        }
        if (preflight.keeps_call[0] != '\0' && cluster->query_log != POLICY_IGNORE) {
                char *text = cluster->query_log == POLICY_REFUSE ? ret->text : ret->warning;

                text_format(text, OUTCOME_TEXT_MAX, "the server would write the key to a log: %s",
                        preflight.keeps_call);
                if (cluster->query_log == POLICY_REFUSE) {
                        ret->kind = OUTCOME_REFUSED_LOG;
                        return;
                }
        }
        if (restart && !halt(ret, session, &configured))
                return;
        if (!task->reconnect_only)
                call(ret, session, task);
        if (restart && configured)
                reconnect(ret, session, task);
        else if (cluster->replication == REPLICATION_OBSERVE && ret->kind == OUTCOME_IMPORTED)
                look_at_replication(ret, session);
}
