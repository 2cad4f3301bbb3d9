#include "daemon/import/removal.h"

#include "common/text.h"
#include "daemon/import/attempt.h"
#include "daemon/import/import-ledger.h"
#include "daemon/mysql/rds.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"

static void call_remove(Outcome *ret, Session *session)
{
        SessionError error = {0};
        SessionResult result =
                session_query(session, "CALL mysql." RDS_REMOVE_PROCEDURE, NULL, NULL, &error);

        if (result == SESSION_OK && session_in_transaction(session))
                result = session_query(session, "COMMIT", NULL, NULL, &error);
        if (!sql_error_fail(ret, result, &error, NULL))
                return;
        if (result == SESSION_LOST || result == SESSION_TIMED_OUT) {
                ret->kind = OUTCOME_UNKNOWN;
                ret->effect.in_doubt = true;
        }
        sql_error_advise_procedure(ret, session, RDS_REMOVE_PROCEDURE);
}

/* What a running replica loses. The material is removed, whatever the answer. */
static void warn_replication(Outcome *ret, Session *session)
{
        const Replication *replication = &ret->replication;
        SessionError error = {0};
        SessionResult result = replica_status_read(&ret->replication, NULL, session, &error);
        char text[OUTCOME_TEXT_MAX];

        if (result == SESSION_SERVER) {
                text_format(text, sizeof(text),
                        "whether replication needs the material is not known: %s", error.text);
                outcome_add_warning(ret, text);
                ret->sql_errno = error.number;
                sql_error_advise_status(ret, session);
        } else if (result == SESSION_OK && replication->configured &&
                replication_is_active(replication) && replication->tls == TRISTATE_YES) {
                text_format(text, sizeof(text),
                        "replication is active and uses TLS (I/O thread %s): its next connection "
                        "fails without the material",
                        replication->io_running);
                outcome_add_warning(ret, text);
                text_set(ret->next_step, sizeof(ret->next_step),
                        "CALL mysql.rds_stop_replication on the cluster, or set enabled = yes to "
                        "import a set");
        }
}

void removal_run(Outcome *ret, Session *session, const ImportTask *task, uint64_t deadline_usec)
{
        Attempt attempt = {
                .outcome = ret, .session = session, .task = task, .deadline_usec = deadline_usec};
        bool ledger_used = task->cluster->ledger[0] != '\0';

        ret->kind = OUTCOME_REMOVED;
        if (!attempt_check_server(&attempt, NULL))
                return;
        if (ledger_used &&
                (!import_ledger_lock(&attempt) || !import_ledger_read(&attempt) ||
                        !import_ledger_begin_removal(&attempt)))
                return;
        call_remove(ret, session);
        if (ledger_used)
                import_ledger_end_removal(&attempt);
        if (ret->kind == OUTCOME_REMOVED && task->cluster->replication != REPLICATION_IGNORE)
                warn_replication(ret, session);
}
