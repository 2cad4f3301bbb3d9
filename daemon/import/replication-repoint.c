#include "daemon/import/replication-repoint.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/mysql/password.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"

static bool refuse(Attempt *attempt, const char *reason)
{
        Outcome *ret = attempt->outcome;

        ret->kind = OUTCOME_REPLICATION_FAILED;
        text_format(ret->text, sizeof(ret->text),
                "replication = repoint is not possible, so that nothing is stopped or imported: %s",
                reason);
        return false;
}

/* A status that lacks a column leaves the value unknown, and nothing is guessed. */
static bool find_source(Attempt *attempt)
{
        const LoginConfig *configured = &attempt->task->cluster->source;
        const Replication *replication = &attempt->outcome->replication;
        const ReplicationSource *replica = &attempt->replica;
        ExternalSource *source = &attempt->source;

        text_set(source->host, sizeof(source->host),
                configured->host[0] != '\0' ? configured->host : replication->source_host);
        source->port = configured->port > 0 ? configured->port : replication->source_port;
        text_set(source->user, sizeof(source->user),
                configured->user[0] != '\0' ? configured->user : replica->user);
        source->auto_position = replica->auto_position == TRISTATE_YES;
        if (replication->n_channels > 1)
                return refuse(attempt, "the replica has more than one channel");
        if (source->host[0] == '\0' || source->port == 0 || source->user[0] == '\0')
                return refuse(attempt,
                        "the status does not name host, port and user of the source; set "
                        "source-host, source-port and source-user");
        if (replica->auto_position == TRISTATE_UNKNOWN)
                return refuse(attempt, "the status does not say whether the replica uses GTIDs");
        if (!source->auto_position && replica->log_file[0] == '\0')
                return refuse(attempt, "the status does not name the executed coordinates");
        return true;
}

static bool find_procedure(Attempt *attempt)
{
        Outcome *ret = attempt->outcome;
        const char *missing;
        char text[128];
        SessionError error = {0};
        SessionResult result =
                external_source_find(&attempt->source, attempt->session, &missing, &error);

        if (sql_error_fail(ret, result, &error, "information_schema.ROUTINES"))
                return false;
        if (!missing)
                return true;
        text_format(text, sizeof(text), "mysql.%s is not visible to this user", missing);
        (void)refuse(attempt, text);
        sql_error_advise_missing(ret, attempt->session, missing);
        return false;
}

/* The password is anywhere in the statement, so nothing may keep any of it. */
static bool check_logs(Attempt *attempt)
{
        const Policy policy = attempt->task->cluster->query_log;
        Outcome *ret = attempt->outcome;
        char text[OUTCOME_TEXT_MAX];
        size_t used = strlen(ret->warning);

        if (!preflight_would_log_password(text, sizeof(text), &attempt->preflight))
                return true;
        if (policy == POLICY_WARN)
                text_format(ret->warning + used, sizeof(ret->warning) - used, "%s%s",
                        used > 0 ? "; " : "", text);
        if (policy != POLICY_REFUSE)
                return true;
        ret->kind = OUTCOME_REFUSED_LOG;
        text_set(ret->text, sizeof(ret->text), text);
        if (attempt->preflight.general_privilege_missing ||
                attempt->preflight.slow_privilege_missing)
                sql_error_advise_logs(
                        ret, attempt->session, attempt->preflight.general_privilege_missing);
        return false;
}

static bool read_password(Attempt *attempt)
{
        LoginConfig login = attempt->task->cluster->source;
        char reason[OUTCOME_TEXT_MAX / 2];

        login.host = attempt->source.host;
        login.port = attempt->source.port;
        login.user = attempt->source.user;
        if (!password_read(&attempt->source_password, reason, sizeof(reason), &login,
                    clock_left_usec(attempt->deadline_usec) / 4))
                return refuse(attempt, reason);
        if (redactor_add_text(attempt->note->password, &attempt->source_password) < 0)
                return refuse(attempt, "out of memory");
        return true;
}

bool replication_repoint_prepare(Attempt *attempt)
{
        return find_source(attempt) && check_logs(attempt) && find_procedure(attempt) &&
                read_password(attempt);
}

bool replication_repoint_run(Attempt *attempt)
{
        Outcome *ret = attempt->outcome;
        ExternalSource *source = &attempt->source;
        const char *procedure = external_source_procedure(source);
        SessionError error = {0};
        SessionResult result;

        text_set(source->log_file, sizeof(source->log_file), attempt->replica.log_file);
        source->log_position = attempt->replica.log_position;
        result = external_source_set(attempt->session, source, &attempt->source_password, &error);
        if (!sql_error_fail(ret, result, &error, procedure)) {
                ret->replication.tls = TRISTATE_UNKNOWN; /* that of before */
                return true;
        }
        if (result == SESSION_SERVER) {
                ret->kind = OUTCOME_REPLICATION_FAILED;
                sql_error_advise_procedure(ret, attempt->session, procedure);
                (void)replica_status_read(
                        &ret->replication, &attempt->replica, attempt->session, &error);
        }
        return false;
}
