#include "daemon/import/import.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/import-ledger.h"
#include "daemon/import/replication-repoint.h"
#include "daemon/import/replication-start.h"
#include "daemon/import/replication-stop.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"
#include "daemon/source/source-probe.h"

bool import_probe_source(Outcome *ret, Session *session, const ClusterConfig *cluster,
        const CallPayload *payload, uint64_t deadline_usec)
{
        Secret pem[_MATERIAL_FILE_MAX];
        bool proceeds;
        int r;

        if (cluster->source_probe == SOURCE_PROBE_OFF)
                return true;
        r = call_payload_files(pem, payload);
        if (r < 0) {
                ret->kind = OUTCOME_CRASHED;
                text_format(ret->text, sizeof(ret->text),
                        "the set cannot be read for the probe of the source: %s", strerror(-r));
                return false;
        }
        proceeds = source_probe_run(ret, session, cluster, pem, deadline_usec);
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                secret_done(&pem[file]);
        return proceeds;
}

/* The ledger and the source are asked first. */
static bool is_to_be_imported(Attempt *attempt, const CallPayload *payload)
{
        return (attempt->task->cluster->ledger[0] == '\0' || import_ledger_compare(attempt)) &&
                import_probe_source(attempt->outcome, attempt->session, attempt->task->cluster,
                        payload, attempt->deadline_usec);
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
        import_ledger_end(attempt, row);
        if (starts)
                start(attempt);
        else if (cluster->replication == REPLICATION_OBSERVE && ret->kind == OUTCOME_IMPORTED)
                /* Without the privilege the status stays unknown; the import succeeded anyway. */
                (void)replica_status_read(
                        &ret->replication, &attempt->replica, attempt->session, &error);
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
        if (!attempt_check_server(&attempt, payload) ||
                (ledger_used && !import_ledger_lock(&attempt)))
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
        } else if (!ledger_used || !imports || import_ledger_begin(&attempt, &row))
                run(&attempt, payload, row);
        secret_done(&attempt.source_password);
}

/* The stop is one of an import: of one that runs, which ends it, or of a daemon that has died. */
static void explain_stop(Outcome *ret, const Ledger *ledger)
{
        if (ledger->locked)
                ret->replication = (Replication){0};
        else
                ret->ledger.stop = ledger->stop;
}

void import_check(Outcome *ret, Session *session, const ImportTask *task)
{
        Attempt attempt = {.outcome = ret, .session = session, .task = task};
        const ClusterConfig *cluster = task->cluster;
        Preflight preflight = {0};
        SessionError error = {0};
        SessionResult result = preflight_identify(&preflight, session, &error);

        ret->kind = OUTCOME_ALREADY_CURRENT;
        if (sql_error_fail(ret, result, &error, NULL))
                return;
        text_set(ret->server.uuid, sizeof(ret->server.uuid), preflight.server_uuid);
        if (cluster->ledger[0] != '\0' && !import_ledger_read(&attempt))
                return;
        if (cluster->replication == REPLICATION_IGNORE)
                return;
        result = replica_status_read(&ret->replication, &attempt.replica, session, &error);
        if (sql_error_fail(ret, result, &error, NULL))
                sql_error_advise_status(ret, session);
        else if (replication_is_stopped_by(
                         &ret->replication, &attempt.replica, &attempt.ledger.stop))
                explain_stop(ret, &attempt.ledger);
}
