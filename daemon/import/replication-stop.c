#include "daemon/import/replication-stop.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/replication-repoint.h"
#include "daemon/model/replication-duty.h"
#include "daemon/mysql/rds.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"

/* The threads can end after the procedure; part of the time is kept for the start. */
#define REPLICATION_STOP_WAIT_USEC  (20 * USEC_PER_SEC)
#define REPLICATION_STOP_PAUSE_USEC (100 * USEC_PER_MSEC)

/* The stop on record, that of the ledger if there is none; at_usec 0: none. */
static RecordStop stop_on_record(const Attempt *attempt)
{
        return attempt->task->stop.at_usec > 0 ? attempt->task->stop : attempt->ledger.stop;
}

ReplicationDuty replication_stop_read(
        Attempt *attempt, SessionResult *ret_result, SessionError *ret_error)
{
        const RecordStop stop = stop_on_record(attempt);
        Outcome *ret = attempt->outcome;
        char statement[LEDGER_STATEMENT_MAX];
        ReplicationDuty duty;
        SessionError error;

        *ret_result = replica_status_read(
                &ret->replication, &attempt->replica, attempt->session, ret_error);
        if (*ret_result != SESSION_OK)
                return REPLICATION_DUTY_NONE;
        duty = replication_duty(&ret->replication, &attempt->replica, &stop);
        if (stop.at_usec == 0 ||
                replication_is_stopped_by(&ret->replication, &attempt->replica, &stop) ||
                (ret->replication.configured &&
                        record_stop_may_follow(&stop, ret->replication.checked_at_usec)))
                return duty;
        ret->effect.stop_over = true;
        if (attempt->ledger.stop.at_usec > 0) {
                ledger_format_start(statement, attempt->task->cluster->ledger);
                (void)session_query(attempt->session, statement, NULL, NULL, &error);
        }
        return duty;
}

static bool is_recorded(Attempt *attempt)
{
        Outcome *ret = attempt->outcome;
        int r = stop_note_write(attempt->note, attempt->task, &ret->replication, &attempt->replica,
                false, attempt->deadline_usec);

        if (r == 0) {
                /* From now on they concern the stop that was on record before. */
                ret->effect.stop_over = ret->effect.replication_started = false;
                return true;
        }
        ret->kind = OUTCOME_RECORD_FAILED;
        text_format(ret->text, sizeof(ret->text),
                "%s: the stop of replication cannot be recorded, so that replication is not stopped "
                "and nothing is imported",
                strerror(-r));
        return false;
}

/* A ledger without the column is used as before. */
static bool is_in_ledger(Attempt *attempt)
{
        const char *table = attempt->task->cluster->ledger;
        char context[CONFIG_VALUE_MAX + sizeof("ledger ")], text[OUTCOME_TEXT_MAX];
        SessionError error = {0};
        SessionResult result;

        if (table[0] == '\0')
                return true;
        result = ledger_stop(
                attempt->session, table, &attempt->task->set, &attempt->replica, false, &error);
        attempt->ledger.has_stop = result == SESSION_OK;
        if (result == SESSION_SERVER && error.number == 1054) { /* no such column */
                text_format(text, sizeof(text),
                        "ledger %s has no column replication_stopped, so that only this daemon can "
                        "start replication again: add it as binlog-ssld.conf(5) shows",
                        table);
                outcome_add_warning(attempt->outcome, text);
                return true;
        }
        text_format(context, sizeof(context), "ledger %s", table);
        return !sql_error_fail(attempt->outcome, result, &error, context);
}

/* The exact coordinates: without them the stop is known, too. */
static void record_completed(Attempt *attempt)
{
        SessionError error;

        (void)stop_note_write(attempt->note, attempt->task, &attempt->outcome->replication,
                &attempt->replica, true, attempt->deadline_usec);
        if (attempt->ledger.has_stop)
                (void)ledger_stop(attempt->session, attempt->task->cluster->ledger,
                        &attempt->task->set, &attempt->replica, true, &error);
}

static bool fail(
        Attempt *attempt, SessionResult result, const SessionError *error, const char *procedure)
{
        Outcome *ret = attempt->outcome;

        if (!sql_error_fail(ret, result, error, NULL))
                return false;
        if (result != SESSION_SERVER || ret->kind == OUTCOME_NOT_WRITER)
                return true;
        ret->kind = OUTCOME_REPLICATION_FAILED;
        text_format(ret->text, sizeof(ret->text), "before the import: %s: %s",
                procedure ? procedure : "SHOW REPLICA STATUS", error->text);
        if (procedure)
                sql_error_advise_procedure(ret, attempt->session, procedure);
        else
                sql_error_advise_status(ret, attempt->session);
        return true;
}

/* Returns the deadline for the threads' end, after which half of the time is left for the start. */
static uint64_t stop_deadline_usec(const Attempt *attempt)
{
        uint64_t half_usec = clock_left_usec(attempt->deadline_usec) / 2;

        if (half_usec > REPLICATION_STOP_WAIT_USEC)
                half_usec = REPLICATION_STOP_WAIT_USEC;
        return clock_boottime_usec() + half_usec;
}

static bool wait_until_stopped(Attempt *attempt)
{
        uint64_t until_usec = stop_deadline_usec(attempt);
        Outcome *ret = attempt->outcome;
        SessionError error = {0};

        for (;;) {
                SessionResult result = replica_status_read(
                        &ret->replication, &attempt->replica, attempt->session, &error);

                if (fail(attempt, result, &error, NULL)) {
                        ret->replication = (Replication){0};
                        return false;
                }
                if (!replication_is_active(&ret->replication))
                        return true;
                if (clock_boottime_usec() >= until_usec)
                        break;
                clock_sleep_usec(REPLICATION_STOP_PAUSE_USEC);
        }
        ret->kind = OUTCOME_TIMED_OUT;
        text_format(ret->text, sizeof(ret->text),
                "replication could not be stopped in time, so that nothing is imported (I/O thread "
                "%s, SQL thread %s)",
                ret->replication.io_running, ret->replication.sql_running);
        return false;
}

/* MySQL with rpl_stop_replica_timeout: the threads have got the signal, and end when they can. */
static bool goes_on(SessionResult result, unsigned number)
{
        return result == SESSION_SERVER && (number == 1875 || number == 1876);
}

/* The stop of an attempt before has ended between the reading and the call, which the procedure
 * refuses then. */
static bool has_ended(Attempt *attempt, SessionResult result)
{
        const RecordStop stop = stop_on_record(attempt);
        Replication *replication = &attempt->outcome->replication;
        SessionError error;

        return result == SESSION_SERVER && stop.at_usec > 0 &&
                replica_status_read(replication, &attempt->replica, attempt->session, &error) ==
                SESSION_OK &&
                !replication_is_active(replication) &&
                replication_is_stopped_by(replication, &attempt->replica, &stop);
}

/* After an error of the procedure nothing was stopped by it: what is stopped now is not ours. After
 * a lost connection nothing is known. */
static void read_after_refusal(Attempt *attempt, SessionResult result)
{
        Outcome *ret = attempt->outcome;
        SessionError error;

        ret->replication = (Replication){0};
        if (result != SESSION_SERVER)
                return;
        ret->effect.stop_over = attempt->task->stop.at_usec == 0;
        (void)replica_status_read(&ret->replication, &attempt->replica, attempt->session, &error);
}

bool replication_stop_again(Attempt *attempt, bool *ret_start)
{
        SessionError error = {0};
        SessionResult result;
        bool stopped;

        *ret_start = false;
        if (!is_recorded(attempt) || !is_in_ledger(attempt))
                return false;
        result = session_query(
                attempt->session, "CALL mysql." RDS_STOP_PROCEDURE, NULL, NULL, &error);
        if (!goes_on(result, error.number) && !has_ended(attempt, result) &&
                fail(attempt, result, &error, RDS_STOP_PROCEDURE)) {
                read_after_refusal(attempt, result);
                return false;
        }
        stopped = wait_until_stopped(attempt);
        /* Without a status it is started, as it was before. */
        *ret_start = !replication_is_active(&attempt->outcome->replication);
        if (stopped)
                record_completed(attempt);
        return stopped;
}

bool replication_stop_run(Attempt *attempt, bool *ret_start)
{
        bool repoints = attempt->task->cluster->replication == REPLICATION_REPOINT;
        Outcome *ret = attempt->outcome;
        char reason[OUTCOME_TEXT_MAX];
        SessionError error = {0};
        SessionResult result;
        ReplicationDuty duty = replication_stop_read(attempt, &result, &error);

        *ret_start = false;
        if (fail(attempt, result, &error, NULL))
                return false;
        switch (duty) {
        case REPLICATION_DUTY_NONE:
                replication_halt_reason(reason, sizeof(reason), &ret->replication);
                if (reason[0] != '\0')
                        outcome_add_warning(ret, reason);
                return true;
        case REPLICATION_DUTY_START:
                *ret_start = true;
                return !repoints || replication_repoint_prepare(attempt);
        case REPLICATION_DUTY_STOP:
        case _REPLICATION_DUTY_MAX:
                break;
        }
        return (!repoints || replication_repoint_prepare(attempt)) &&
                replication_stop_again(attempt, ret_start);
}
