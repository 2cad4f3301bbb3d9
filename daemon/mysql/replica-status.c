#include "daemon/mysql/replica-status.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/text.h"

static bool is_either(const char *name, const char *new_name, const char *old_name)
{
        return strcmp(name, new_name) == 0 || strcmp(name, old_name) == 0;
}

static void parse_column(Replication *replication, const char *name, const char *value)
{
        if (is_either(name, "Replica_IO_Running", "Slave_IO_Running"))
                text_set(replication->io_running, sizeof(replication->io_running), value);
        else if (is_either(name, "Replica_SQL_Running", "Slave_SQL_Running"))
                text_set(replication->sql_running, sizeof(replication->sql_running), value);
        else if (is_either(name, "Source_SSL_Allowed", "Master_SSL_Allowed"))
                replication->tls = strcasecmp(value, "yes") == 0 ? TRISTATE_YES : TRISTATE_NO;
        else if (is_either(name, "Relay_Source_Log_File", "Relay_Master_Log_File"))
                text_set(replication->log_file, sizeof(replication->log_file), value);
        else if (is_either(name, "Exec_Source_Log_Pos", "Exec_Master_Log_Pos"))
                replication->log_position = strtoull(value, NULL, 10);
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

SessionResult replica_status_read(Replication *ret, Session *session, SessionError *ret_error)
{
        Replication replication = {.known = true, .checked_at_usec = clock_wall_usec()};
        SessionResult result;

        result = session_query(session, "SHOW REPLICA STATUS", on_row, &replication, ret_error);
        if (result == SESSION_SERVER && ret_error->number == 1064)
                result = session_query(
                        session, "SHOW SLAVE STATUS", on_row, &replication, ret_error);
        if (result == SESSION_OK)
                *ret = replication;
        return result;
}
