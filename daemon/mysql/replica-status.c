#include "daemon/mysql/replica-status.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "daemon/mysql/rds.h"

/* Returns true for both names of a column: "Replica_IO_Running" and "Slave_IO_Running",
 * "Source_SSL_..." and "Master_SSL_...". */
static bool column_is(const char *name, const char *role, const char *old_role, const char *rest)
{
        size_t length = strlen(role);

        if (strncmp(name, role, length) == 0 && strcmp(name + length, rest) == 0)
                return true;
        length = strlen(old_role);
        return strncmp(name, old_role, length) == 0 && strcmp(name + length, rest) == 0;
}

static void parse_column(Replication *replication, const char *name, const char *value)
{
        if (column_is(name, "Replica", "Slave", "_IO_Running"))
                text_set(replication->io_running, sizeof(replication->io_running), value);
        else if (column_is(name, "Replica", "Slave", "_SQL_Running"))
                text_set(replication->sql_running, sizeof(replication->sql_running), value);
        else if (column_is(name, "Source", "Master", "_SSL_Allowed"))
                replication->tls = strcasecmp(value, "yes") == 0 ? TRISTATE_YES : TRISTATE_NO;
        else if (strcmp(name, "Last_IO_Errno") == 0)
                replication->io_errno = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(name, "Last_IO_Error") == 0)
                text_set(replication->io_error, sizeof(replication->io_error), value);
        else if (strcmp(name, "Last_SQL_Errno") == 0)
                replication->sql_errno = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(name, "Last_SQL_Error") == 0)
                text_set(replication->sql_error, sizeof(replication->sql_error), value);
}

static void on_row(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        Replication *replication = userdata;

        replication->configured = true;
        for (unsigned i = 0; i < n_columns; i++)
                if (values[i])
                        parse_column(replication, names[i], values[i]);
}

SessionResult replica_status_read(
        Replication *ret, Session *session, uint64_t now_usec, SessionError *ret_error)
{
        Replication replication = {.known = true, .checked_at_usec = now_usec};
        SessionResult result;

        result = session_query(session, "SHOW REPLICA STATUS", on_row, &replication, ret_error);
        if (result == SESSION_SERVER && ret_error->number == 1064)
                result = session_query(
                        session, "SHOW SLAVE STATUS", on_row, &replication, ret_error);
        if (result == SESSION_OK)
                *ret = replication;
        return result;
}

SessionResult replica_stop(Session *session, SessionError *ret_error)
{
        return session_query(session, "CALL mysql." RDS_STOP_PROCEDURE, NULL, NULL, ret_error);
}

SessionResult replica_start(Session *session, SessionError *ret_error)
{
        return session_query(session, "CALL mysql." RDS_START_PROCEDURE, NULL, NULL, ret_error);
}
