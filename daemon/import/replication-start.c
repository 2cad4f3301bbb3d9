#include "daemon/import/replication-start.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/replication-stop.h"
#include "daemon/model/replication-duty.h"
#include "daemon/model/replication-state.h"
#include "daemon/mysql/rds.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"

/* Time until replication must run, and pause between two reads of its status. The start procedure
 * itself takes three seconds and returns before a TLS failure is visible (doc/aurora.md,
 * "Replication procedures"). */
#define REPLICATION_START_WAIT_USEC    (20 * USEC_PER_SEC)
#define REPLICATION_START_PAUSE_USEC   (100 * USEC_PER_MSEC)
#define REPLICATION_START_STABLE_USEC  (300 * USEC_PER_MSEC)
#define REPLICATION_START_REFUSED_USEC (USEC_PER_SEC)     /* that a refusal stays */
#define REPLICATION_START_AGAIN_USEC   (3 * USEC_PER_SEC) /* that another connect needs */
#define REPLICATION_START_MARGIN_USEC \
        (300 * USEC_PER_MSEC) /* to report the failure before the session ends */

/* Returns the time for which the condition has been true, or 0. */
static uint64_t held_usec(bool condition, uint64_t *since_usec, uint64_t now_usec)
{
        if (!condition)
                *since_usec = 0;
        else if (*since_usec == 0)
                *since_usec = now_usec;
        return condition ? now_usec - *since_usec : 0;
}

typedef enum Verification {
        VERIFICATION_PASSED,
        VERIFICATION_FAILED,
        VERIFICATION_DOUBTFUL, /* replication_may_be_denied() */
} Verification;

/* Waits until replication is verified. A start ends the errors of before, on both makes
 * (doc/aurora.md, "Replica status"). `repeated`: the connect before this one was doubtful. */
static Verification verify(Attempt *attempt, bool repeated)
{
        Outcome *ret = attempt->outcome;
        const Replication *now = &ret->replication;
        uint64_t until_usec = clock_boottime_usec() + REPLICATION_START_WAIT_USEC;
        uint64_t limit_usec = attempt->deadline_usec - REPLICATION_START_MARGIN_USEC;
        uint64_t running_since_usec = 0, failed_since_usec = 0;

        if (until_usec > limit_usec)
                until_usec = limit_usec;
        for (;;) {
                uint64_t now_usec = clock_boottime_usec();
                SessionError error = {0};
                SessionResult result = replica_status_read(
                        &ret->replication, &attempt->replica, attempt->session, &error);
                bool stable, doubtful, fails, failed;

                if (sql_error_fail(ret, result, &error, "SHOW REPLICA STATUS")) {
                        if (result == SESSION_SERVER)
                                ret->kind = OUTCOME_REPLICATION_FAILED;
                        return VERIFICATION_FAILED;
                }
                doubtful = replication_may_be_denied(now);
                ret->replication.io_repeated = doubtful && repeated;
                stable = held_usec(replication_is_running(now), &running_since_usec, now_usec) >=
                        REPLICATION_START_STABLE_USEC;
                fails = doubtful || replication_is_refused(now) ||
                        now->halt == REPLICATION_HALT_ERROR;
                failed = held_usec(fails || now->halt == REPLICATION_HALT_PERSON,
                                 &failed_since_usec, now_usec) >= REPLICATION_START_REFUSED_USEC;
                if (stable && (now->tls == TRISTATE_NO || !now->lag_null))
                        return now->tls == TRISTATE_NO ? VERIFICATION_FAILED : VERIFICATION_PASSED;
                if (failed && doubtful && !repeated)
                        return VERIFICATION_DOUBTFUL;
                if (failed || now_usec >= until_usec)
                        return VERIFICATION_FAILED;
                clock_sleep_usec(REPLICATION_START_PAUSE_USEC);
        }
}

/* Why the verification failed, and what a person can do. */
static void describe_failure(Outcome *ret, ReplicationMode mode)
{
        const Replication *replication = &ret->replication;
        bool io_fails = replication->io_errno != 0;
        char error[REPLICATION_TEXT_MAX + 32] = "";

        if (ret->text[0] != '\0')
                return; /* the status could not be read */
        ret->kind = OUTCOME_REPLICATION_FAILED;
        if (replication_is_running(replication) && replication->tls == TRISTATE_NO) {
                text_set(ret->text, sizeof(ret->text),
                        "replication runs without TLS, so that the imported certificate is not "
                        "used");
                text_set(ret->next_step, sizeof(ret->next_step),
                        "CALL mysql.rds_stop_replication(), mysql.rds_set_binlog_source_ssl(1) and "
                        "mysql.rds_start_replication() on the cluster, or set replication = "
                        "repoint");
                return;
        }
        if (replication_is_running(replication)) {
                text_set(ret->text, sizeof(ret->text),
                        "both replication threads run, but the server does not know how far the "
                        "replica is behind its source");
                return;
        }
        ret->sql_errno = io_fails ? replication->io_errno : replication->sql_errno;
        if (replication_lacks_events(replication)) {
                text_format(ret->text, sizeof(ret->text),
                        "replication does not run: the source no longer has the events that the "
                        "replica needs next (error %u): %s",
                        replication->io_errno, replication->io_error);
                text_set(ret->next_step, sizeof(ret->next_step),
                        "only a person can decide: restore the replica from a copy of the source; "
                        "binlog-ssld never changes the position");
                return;
        }
        if (ret->sql_errno != 0)
                text_format(error, sizeof(error), ": error %u: %s", ret->sql_errno,
                        io_fails ? replication->io_error : replication->sql_error);
        text_format(ret->text, sizeof(ret->text),
                "replication does not run%s (I/O thread %s, SQL thread %s%s)", error,
                replication->io_running, replication->sql_running,
                replication->io_repeated ? ", after a second connect" : "");
        if (replication_state(replication) == REPLICATION_STATE_FAILING)
                text_set(ret->next_step, sizeof(ret->next_step),
                        replication_state_next_step(replication, mode));
}

static void on_message(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        *(bool *)userdata = true;
}

/* A repoint with auto-position that has not ended has left the replica without TLS. */
static bool lacks_tls(const Attempt *attempt)
{
        bool repoints = attempt->task->cluster->replication == REPLICATION_REPOINT ||
                attempt->task->stop.mode == REPLICATION_REPOINT;

        return repoints && attempt->replica.auto_position == TRISTATE_YES &&
                attempt->outcome->replication.tls == TRISTATE_NO;
}

/* The ledger's row is cleared in the same round trip, so that no connection breaks between the two;
 * after an error of the start it is not. The procedure answers with a row. */
static SessionResult start(Attempt *attempt, SessionError *ret_error)
{
        static const char call[] = "CALL mysql." RDS_START_PROCEDURE;
        char statement[LEDGER_STATEMENT_MAX + sizeof(call) + 64], clear[LEDGER_STATEMENT_MAX];
        Outcome *ret = attempt->outcome;
        char text[OUTCOME_TEXT_MAX];
        bool answered = false;
        SessionResult result;

        if (attempt->ledger.has_stop)
                ledger_format_start(clear, attempt->task->cluster->ledger);
        text_format(statement, sizeof(statement), "%s%s%s%s",
                lacks_tls(attempt) ? "CALL mysql." RDS_SSL_PROCEDURE "(1); " : "", call,
                attempt->ledger.has_stop ? "; " : "", attempt->ledger.has_stop ? clear : "");
        result = session_query(attempt->session, statement, on_message, &answered, ret_error);
        if (attempt->ledger.has_stop && result == SESSION_SERVER && answered) {
                text_format(text, sizeof(text),
                        "ledger %s still says that replication is stopped: %s",
                        attempt->task->cluster->ledger, ret_error->text);
                outcome_add_warning(ret, text);
                result = SESSION_OK;
        }
        ret->effect.replication_started = result == SESSION_OK;
        return result;
}

/* Without the wait: the status is the one immediately after the start. */
static void read_started(Attempt *attempt)
{
        SessionError error = {0};

        attempt->outcome->replication = (Replication){0};
        (void)replica_status_read(
                &attempt->outcome->replication, &attempt->replica, attempt->session, &error);
}

static void start_after_failure(Attempt *attempt)
{
        Outcome *ret = attempt->outcome;
        size_t used = strlen(ret->text);
        SessionError error = {0};
        SessionResult result = start(attempt, &error);

        if (result == SESSION_OK)
                read_started(attempt);
        else if (result == SESSION_SERVER)
                text_format(ret->text + used, sizeof(ret->text) - used, "%s%s: %s",
                        used > 0 ? "; after that " : "", RDS_START_PROCEDURE, error.text);
}

/* Returns false if the outcome is a failed start. */
static bool start_or_fail(Attempt *attempt)
{
        Outcome *ret = attempt->outcome;
        SessionError error = {0};
        SessionResult result = start(attempt, &error);

        if (!sql_error_fail(ret, result, &error, RDS_START_PROCEDURE))
                return true;
        if (result == SESSION_SERVER)
                ret->kind = OUTCOME_REPLICATION_FAILED;
        sql_error_advise_procedure(ret, attempt->session, RDS_START_PROCEDURE);
        return false;
}

/* Stops replication for another connect. The I/O thread itself retries after MASTER_CONNECT_RETRY,
 * 60 s by default, which is more time than an import has. Without the stop the outcome stays. */
static bool stop_for_connect(Attempt *attempt, uint64_t start_usec)
{
        Outcome *ret = attempt->outcome;
        Outcome before = *ret;
        SessionError error = {0};
        bool starts;

        /* The stop takes as long as the start. */
        if (clock_left_usec(attempt->deadline_usec) < 2 * start_usec + REPLICATION_START_AGAIN_USEC)
                return false;
        if (replication_stop_again(attempt, &starts))
                return true;
        if (starts)
                (void)start(attempt, &error);
        before.effect = ret->effect;
        if (ret->replication.known) /* a person has stopped it just before */
                before.replication = ret->replication;
        *ret = before;
        return false;
}

void replication_start_run(Attempt *attempt)
{
        Outcome *ret = attempt->outcome;
        uint64_t begin_usec = clock_boottime_usec(), start_usec;
        char reason[OUTCOME_TEXT_MAX];
        Verification verification;

        if (!outcome_is_success(ret->kind)) {
                start_after_failure(attempt);
                return;
        }
        if (!start_or_fail(attempt))
                return;
        start_usec = clock_boottime_usec() - begin_usec;
        verification = verify(attempt, false);
        if (verification == VERIFICATION_DOUBTFUL && stop_for_connect(attempt, start_usec)) {
                if (!start_or_fail(attempt))
                        return;
                verification = verify(attempt, true);
        }
        if (verification == VERIFICATION_PASSED)
                ret->effect.replication_restarted = true;
        else if (outcome_is_success(ret->kind) &&
                ret->replication.halt == REPLICATION_HALT_PERSON) {
                replication_halt_reason(reason, sizeof(reason), &ret->replication);
                outcome_add_warning(ret, reason);
        } else {
                describe_failure(ret, attempt->task->cluster->replication);
                return;
        }
        ret->effect.restart_due = false;
}

void replication_start_resume(Attempt *attempt)
{
        Outcome *ret = attempt->outcome;
        SessionError error = {0};
        SessionResult result;
        ReplicationDuty duty = replication_stop_read(attempt, &result, &error);

        if (sql_error_fail(ret, result, &error, "SHOW REPLICA STATUS")) {
                if (result == SESSION_SERVER)
                        ret->kind = OUTCOME_REPLICATION_FAILED;
                sql_error_advise_status(ret, attempt->session);
                return;
        }
        if (duty != REPLICATION_DUTY_START)
                return;
        result = start(attempt, &error);
        if (result == SESSION_OK)
                read_started(attempt);
        if (sql_error_fail(ret, result, &error, RDS_START_PROCEDURE)) {
                if (result == SESSION_SERVER)
                        ret->kind = OUTCOME_REPLICATION_FAILED;
                sql_error_advise_procedure(ret, attempt->session, RDS_START_PROCEDURE);
        }
}
