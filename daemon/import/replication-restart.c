#include "daemon/import/replication-restart.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/mysql/rds.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"

/* Time until replication must run, and pause between two reads of its status. The start procedure
 * itself takes three seconds and returns before a TLS failure is visible (doc/aurora.md,
 * "Replication procedures"). */
#define REPLICATION_RESTART_WAIT_USEC   (20 * USEC_PER_SEC)
#define REPLICATION_RESTART_PAUSE_USEC  (100 * USEC_PER_MSEC)
#define REPLICATION_RESTART_STABLE_USEC (300 * USEC_PER_MSEC)
#define REPLICATION_RESTART_MARGIN_USEC \
        (300 * USEC_PER_MSEC) /* to report the failure before the session ends */

/* Waits until both threads run and have run for REPLICATION_RESTART_STABLE_USEC. */
static bool wait_until_running(Outcome *ret, Session *session, uint64_t deadline_usec)
{
        uint64_t until = clock_boottime_usec() + REPLICATION_RESTART_WAIT_USEC;
        uint64_t running_since = 0;

        if (until > deadline_usec)
                until = deadline_usec;
        for (;;) {
                uint64_t now = clock_boottime_usec();
                SessionError error = {0};
                SessionResult result = replica_status_read(&ret->replication, session, &error);

                if (sql_error_fail(ret, result, &error, "SHOW REPLICA STATUS"))
                        return false;
                if (!replication_is_running(&ret->replication))
                        running_since = 0;
                else if (running_since == 0)
                        running_since = now;
                else if (now - running_since >= REPLICATION_RESTART_STABLE_USEC)
                        return true;
                if (now >= until)
                        return false;
                clock_sleep_usec(REPLICATION_RESTART_PAUSE_USEC);
        }
}

static bool is_recorded(
        Outcome *ret, const ImportTask *task, const StopNote *note, uint64_t deadline_usec)
{
        int r = stop_note_write(note, task, &ret->replication, deadline_usec);

        if (r == 0)
                return true;
        ret->kind = OUTCOME_RECORD_FAILED;
        text_format(ret->text, sizeof(ret->text),
                "replication is not stopped and nothing is imported, because the stop cannot be "
                "recorded: %s",
                strerror(-r));
        return false;
}

static SessionResult call(Session *session, const char *statement, SessionError *ret_error)
{
        return session_query(session, statement, NULL, NULL, ret_error);
}

/* What is known after the stop: the status read before it is no longer true. */
static void update_stopped(Replication *replication, Session *session, SessionResult result)
{
        SessionError error;

        if (result == SESSION_OK) {
                text_set(replication->io_running, sizeof(replication->io_running), "No");
                text_set(replication->sql_running, sizeof(replication->sql_running), "No");
                replication->checked_at_usec = clock_wall_usec();
        } else {
                *replication = (Replication){0};
                if (result == SESSION_SERVER)
                        (void)replica_status_read(replication, session, &error);
        }
}

bool replication_restart_stop(Outcome *ret, Session *session, const ImportTask *task,
        const StopNote *note, uint64_t deadline_usec, bool *ret_configured)
{
        bool stopping = false;
        SessionError error = {0};
        SessionResult result;

        result = replica_status_read(&ret->replication, session, &error);
        *ret_configured = result == SESSION_OK && ret->replication.configured;
        if (result == SESSION_OK && replication_is_active(&ret->replication)) {
                stopping = true;
                if (!is_recorded(ret, task, note, deadline_usec))
                        return false;
                result = call(session, "CALL mysql." RDS_STOP_PROCEDURE, &error);
                update_stopped(&ret->replication, session, result);
        }
        if (!sql_error_fail(ret, result, &error, NULL))
                return true;
        if (result == SESSION_SERVER && ret->kind != OUTCOME_NOT_WRITER) {
                ret->kind = OUTCOME_REPLICATION_FAILED;
                text_format(ret->text, sizeof(ret->text), "before the import: %s: %s",
                        stopping ? RDS_STOP_PROCEDURE : "SHOW REPLICA STATUS", error.text);
                if (stopping)
                        sql_error_advise_procedure(ret, session, RDS_STOP_PROCEDURE);
                else
                        sql_error_advise_status(ret, session);
        }
        return false;
}

static SessionResult start(Outcome *ret, Session *session, SessionError *ret_error)
{
        SessionResult result = call(session, "CALL mysql." RDS_START_PROCEDURE, ret_error);

        ret->effect.replication_started = result == SESSION_OK;
        return result;
}

/* Without the wait: the status is the one immediately after the start. */
static void read_started(Replication *replication, Session *session)
{
        SessionError error = {0};

        *replication = (Replication){0};
        (void)replica_status_read(replication, session, &error);
}

static void start_after_failure(Outcome *ret, Session *session)
{
        size_t used = strlen(ret->text);
        SessionError error = {0};
        SessionResult result = start(ret, session, &error);

        if (result == SESSION_OK)
                read_started(&ret->replication, session);
        else if (result == SESSION_SERVER)
                text_format(ret->text + used, sizeof(ret->text) - used, "%s%s: %s",
                        used > 0 ? "; after that " : "", RDS_START_PROCEDURE, error.text);
}

void replication_restart_start(Outcome *ret, Session *session, uint64_t deadline_usec)
{
        const Replication *replication = &ret->replication;
        SessionError error = {0};
        SessionResult result;

        if (!outcome_is_success(ret->kind)) {
                start_after_failure(ret, session);
                return;
        }
        result = start(ret, session, &error);
        if (sql_error_fail(ret, result, &error, RDS_START_PROCEDURE)) {
                ret->kind = OUTCOME_REPLICATION_FAILED;
                sql_error_advise_procedure(ret, session, RDS_START_PROCEDURE);
                return;
        }
        if (wait_until_running(ret, session, deadline_usec - REPLICATION_RESTART_MARGIN_USEC)) {
                ret->effect.replication_restarted = true;
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

void replication_restart_recover(Outcome *ret, Session *session, uint64_t deadline_usec)
{
        SessionError error = {0};

        if (replica_status_read(&ret->replication, session, &error) == SESSION_OK &&
                ret->replication.configured && !replication_is_active(&ret->replication))
                replication_restart_start(ret, session, deadline_usec);
}

void replication_restart_resume(Outcome *ret, Session *session)
{
        SessionError error = {0};
        SessionResult result = replica_status_read(&ret->replication, session, &error);

        if (sql_error_fail(ret, result, &error, "SHOW REPLICA STATUS")) {
                if (result == SESSION_SERVER)
                        ret->kind = OUTCOME_REPLICATION_FAILED;
                sql_error_advise_status(ret, session);
                return;
        }
        if (!ret->replication.configured || replication_is_active(&ret->replication))
                return;
        result = start(ret, session, &error);
        if (result == SESSION_OK)
                read_started(&ret->replication, session);
        if (sql_error_fail(ret, result, &error, RDS_START_PROCEDURE)) {
                if (result == SESSION_SERVER)
                        ret->kind = OUTCOME_REPLICATION_FAILED;
                sql_error_advise_procedure(ret, session, RDS_START_PROCEDURE);
        }
}
