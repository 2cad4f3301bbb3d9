#include "daemon/probe/prober.h"

#include <sys/socket.h>

#include <netdb.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/import.h"
#include "daemon/mysql/external-source.h"
#include "daemon/mysql/ledger.h"
#include "daemon/mysql/login.h"
#include "daemon/mysql/rds.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/session.h"
#include "daemon/mysql/sql-error.h"

#define PROBER_UNKNOWN_HOST 2005 /* CR_UNKNOWN_HOST: the name does not resolve */

/* Sets the address of a server that did not answer, or refused the login, if the name has only
 * one. */
static void resolve(Probe *probe, const char *host)
{
        static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;

        if (getaddrinfo(host, NULL, &hints, &list) != 0)
                return;
        if (!list->ai_next)
                (void)getnameinfo(list->ai_addr, list->ai_addrlen, probe->server.address,
                        sizeof(probe->server.address), NULL, 0, NI_NUMERICHOST);
        freeaddrinfo(list);
}

static void on_account(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        Probe *probe = userdata;
        const char *list;

        if (n_columns != 2 || !values[0])
                return;
        probe->procedures_known = true;
        text_set(probe->account, sizeof(probe->account), values[0]);
        list = values[1] ? values[1] : "";
        for (unsigned i = 0; i < _PROBE_PROCEDURE_MAX; i++)
                probe->visible[i] = strcasestr(list, probe_procedure_name(i)) != NULL;
}

/* An aggregate without groups: always one row. */
static SessionResult read_procedures(Probe *probe, Session *session, SessionError *error)
{
        static const char statement[] =
                "SELECT CURRENT_USER(), GROUP_CONCAT(ROUTINE_NAME) FROM "
                "information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_TYPE = "
                "'PROCEDURE' AND ROUTINE_NAME IN ('" RDS_IMPORT_PROCEDURE "', '" RDS_STOP_PROCEDURE
                "', '" RDS_START_PROCEDURE "', '" RDS_REMOVE_PROCEDURE "')";

        return session_query(session, statement, on_account, probe, error);
}

/* An error of the server is a fact of the probe; any other one ends the probe. */
static SessionResult keep_server_error(
        SessionError *ret, SessionResult result, const SessionError *error)
{
        if (result != SESSION_SERVER)
                return result;
        *ret = *error;
        return SESSION_OK;
}

static SessionResult read_ledger(
        Probe *probe, Session *session, const char *table, SessionError *error)
{
        Ledger ledger;
        SessionResult result = ledger_read(&ledger, &probe->ledger, session, table, error);

        if (result == SESSION_OK)
                result = ledger_check_writable(session, table, error);
        if (result == SESSION_OK)
                result = ledger_read_columns(&probe->ledger_columns, session, table, error);
        return keep_server_error(&probe->ledger_error, result, error);
}

/* Which procedure sets the source depends on how the replica asks it for events. */
static SessionResult read_external_source(
        Probe *probe, const ReplicationSource *replica, Session *session, SessionError *error)
{
        ExternalSource source = {.auto_position = replica->auto_position == TRISTATE_YES};
        const char *missing;
        SessionResult result = external_source_find(&source, session, &missing, error);

        if (result == SESSION_OK && missing)
                text_set(probe->missing, sizeof(probe->missing), missing);
        return result;
}

/* Returns false if the session is of no more use. */
static bool read_facts(Probe *probe, Session *session, const ClusterConfig *cluster)
{
        ReplicationSource replica = {0};
        Outcome outcome = {0};
        SessionError error = {0};
        SessionResult result =
                preflight_run(&probe->preflight, session, cluster->login.user, &error);

        probe->preflight_known = result == SESSION_OK;
        if (result == SESSION_OK)
                result = read_procedures(probe, session, &error);
        if (result == SESSION_OK && cluster->ledger[0] != '\0')
                result = read_ledger(probe, session, cluster->ledger, &error);
        if (result == SESSION_OK && cluster->replication != REPLICATION_IGNORE)
                result = keep_server_error(&probe->replication_error,
                        replica_status_read(&probe->replication, &replica, session, &error),
                        &error);
        if (result == SESSION_OK && cluster->replication == REPLICATION_REPOINT)
                result = read_external_source(probe, &replica, session, &error);
        if (!sql_error_fail(&outcome, result, &error, NULL))
                return true;
        probe_add_outcome(probe, &outcome);
        return false;
}

/* As an import would, with the set on disk. */
static void probe_source(Probe *probe, Session *session, const ProberTask *task,
        const CallPayload *payload, uint64_t deadline_usec)
{
        CLEANUP(redactor_done) Redactor key = REDACTOR_NULL;
        Outcome outcome = {.kind = OUTCOME_IMPORTED};
        int r;

        if (!payload->data) {
                probe_add_no_set(probe, task->reason);
                return;
        }
        r = redactor_set_pem(&key, payload->data, payload->size);
        if (r == 0)
                (void)import_probe_source(&outcome, session, task->cluster, payload, deadline_usec);
        outcome_redact(&outcome, &key);
        if (r < 0)
                probe_add_no_set(probe, strerror(-r));
        else
                probe_add_source(probe, &outcome, task->fingerprint);
}

int prober_run(Probe *ret, const ProberTask *task)
{
        CLEANUP(session_freep) Session *session = NULL;
        CLEANUP(redactor_done) Redactor password = REDACTOR_NULL;
        const ClusterConfig *cluster = task->cluster;
        uint64_t start_usec = clock_boottime_usec();
        uint64_t deadline_usec = login_deadline_usec(start_usec, task->timeout_usec);
        CLEANUP(call_payload_unmap) CallPayload payload = {0};
        Outcome outcome = {0};

        /* What cannot be mapped is no set. */
        if (task->payload_fd >= 0)
                (void)call_payload_map(&payload, task->payload_fd);
        ret->newlines = cluster->newlines != NEWLINES_AUTO ? cluster->newlines : task->newlines;
        if (login_open(&session, &outcome, &ret->server_certificate, cluster, deadline_usec,
                    &password)) {
                ret->logged_in = true;
                ret->server = outcome.server;
                bool usable = read_facts(ret, session, cluster);

                if (payload.data)
                        ret->call_bytes = call_packet_size(&payload, ret->newlines);
                probe_evaluate(ret, cluster);
                if (cluster->source_probe != SOURCE_PROBE_OFF && usable)
                        probe_source(ret, session, task, &payload, deadline_usec);
        } else
                probe_add_outcome(ret, &outcome);
        probe_evaluate_certificate(ret, clock_wall_usec());
        if (ret->server.address[0] == '\0' && outcome.sql_errno != 0 &&
                outcome.sql_errno != PROBER_UNKNOWN_HOST)
                resolve(ret, cluster->login.host);
        probe_redact(ret, &password);
        ret->duration_usec = clock_boottime_usec() - start_usec;
        return 0;
}
