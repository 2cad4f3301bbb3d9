#include "daemon/mysql/external-source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/mysql/rds.h"

typedef enum Procedure {
        PROCEDURE_SOURCE,
        PROCEDURE_SOURCE_AUTO,
        PROCEDURE_MASTER,
        PROCEDURE_MASTER_AUTO,
        PROCEDURE_SSL,
        _PROCEDURE_MAX,
} Procedure;

static const char *const names[_PROCEDURE_MAX] = {
        [PROCEDURE_SOURCE] = RDS_SET_SOURCE_PROCEDURE,
        [PROCEDURE_SOURCE_AUTO] = RDS_SET_SOURCE_PROCEDURE RDS_AUTO_POSITION,
        [PROCEDURE_MASTER] = RDS_SET_MASTER_PROCEDURE,
        [PROCEDURE_MASTER_AUTO] = RDS_SET_MASTER_PROCEDURE RDS_AUTO_POSITION,
        [PROCEDURE_SSL] = RDS_SSL_PROCEDURE,
};

static Procedure procedure_of(const ExternalSource *source)
{
        if (source->is_master)
                return source->auto_position ? PROCEDURE_MASTER_AUTO : PROCEDURE_MASTER;
        return source->auto_position ? PROCEDURE_SOURCE_AUTO : PROCEDURE_SOURCE;
}

const char *external_source_procedure(const ExternalSource *source)
{
        return names[procedure_of(source)];
}

static void on_name(
        void *userdata, unsigned n_columns, const char *const *columns, const char *const *values)
{
        unsigned *visible = userdata;

        for (unsigned i = 0; n_columns == 1 && values[0] && i < _PROCEDURE_MAX; i++)
                if (strcmp(values[0], names[i]) == 0)
                        *visible |= 1U << i;
}

SessionResult external_source_find(
        ExternalSource *source, Session *session, const char **ret_missing, SessionError *ret_error)
{
        static const char statement[] =
                "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = "
                "'mysql' AND ROUTINE_NAME IN ('" RDS_SET_SOURCE_PROCEDURE
                "', '" RDS_SET_SOURCE_PROCEDURE RDS_AUTO_POSITION "', '" RDS_SET_MASTER_PROCEDURE
                "', '" RDS_SET_MASTER_PROCEDURE RDS_AUTO_POSITION "', '" RDS_SSL_PROCEDURE "')";
        unsigned visible = 0;
        SessionResult result = session_query(session, statement, on_name, &visible, ret_error);

        *ret_missing = NULL;
        if (result != SESSION_OK)
                return result;
        source->is_master = !(visible & 1U << procedure_of(source));
        if (!(visible & 1U << procedure_of(source))) {
                source->is_master = false; /* the name of the versions in support */
                *ret_missing = external_source_procedure(source);
        } else if (source->auto_position && !(visible & 1U << PROCEDURE_SSL))
                *ret_missing = RDS_SSL_PROCEDURE;
        return SESSION_OK;
}

/* sql_mode has no NO_BACKSLASH_ESCAPES (daemon/mysql/preflight.h). */
static void quote(char *buffer, size_t size, const char *text)
{
        size_t used = 0;

        buffer[used++] = '\'';
        for (const char *byte = text; *byte != '\0' && used + 4 < size; byte++) {
                if (*byte == '\'' || *byte == '\\')
                        buffer[used++] = '\\';
                buffer[used++] = *byte;
        }
        buffer[used++] = '\'';
        buffer[used] = '\0';
}

void external_source_format(
        char buffer[static EXTERNAL_SOURCE_STATEMENT_MAX], const ExternalSource *source)
{
        char host[2 * REPLICATION_HOST_MAX + 4], user[2 * REPLICATION_USER_MAX + 4];
        char log_file[2 * REPLICATION_LOG_FILE_MAX + 4];
        const char *procedure = external_source_procedure(source);

        quote(host, sizeof(host), source->host);
        quote(user, sizeof(user), source->user);
        quote(log_file, sizeof(log_file), source->log_file);
        if (source->auto_position)
                snprintf(buffer, EXTERNAL_SOURCE_STATEMENT_MAX, "CALL mysql.%s(%s, %u, %s, ?, 0)",
                        procedure, host, source->port, user);
        else
                snprintf(buffer, EXTERNAL_SOURCE_STATEMENT_MAX,
                        "CALL mysql.%s(%s, %u, %s, ?, %s, %" PRIu64 ", 1)", procedure, host,
                        source->port, user, log_file, source->log_position);
}

SessionResult external_source_set(Session *session, const ExternalSource *source,
        const Secret *password, SessionError *ret_error)
{
        char statement[EXTERNAL_SOURCE_STATEMENT_MAX];
        SessionResult result;
        bool sent;

        external_source_format(statement, source);
        result = session_call(session, statement, password, &sent, ret_error);
        if (result == SESSION_OK && source->auto_position)
                result = session_query(
                        session, "CALL mysql." RDS_SSL_PROCEDURE "(1)", NULL, NULL, ret_error);
        return result;
}
