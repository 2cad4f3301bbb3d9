#include "daemon/mysql/replica-status.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/text.h"

static bool is_either(const char *name, const char *new_name, const char *old_name)
{
        return strcasecmp(name, new_name) == 0 || strcasecmp(name, old_name) == 0;
}

static bool parse_number(uint64_t *ret, const char *value)
{
        char *end;
        unsigned long long number;

        if (!isdigit((unsigned char)value[0]))
                return false;
        errno = 0;
        number = strtoull(value, &end, 10);
        if (*end != '\0' || errno != 0 || number > INT64_MAX) /* more has no place in a record */
                return false;
        *ret = number;
        return true;
}

static void parse_unsigned(unsigned *ret, const char *value)
{
        uint64_t number;

        if (parse_number(&number, value) && number <= UINT32_MAX)
                *ret = (unsigned)number;
}

/* MariaDB's Using_Gtid is No, Slave_Pos or Current_Pos. */
static Tristate parse_auto_position(const char *value)
{
        return strcmp(value, "0") == 0 || strcasecmp(value, "no") == 0 ? TRISTATE_NO : TRISTATE_YES;
}

static void parse_source(ReplicationSource *source, const char *name, const char *value)
{
        if (is_either(name, "Source_User", "Master_User"))
                text_set(source->user, sizeof(source->user), value);
        else if (is_either(name, "Auto_Position", "Using_Gtid"))
                source->auto_position = parse_auto_position(value);
        else if (is_either(name, "Relay_Source_Log_File", "Relay_Master_Log_File"))
                text_set(source->log_file, sizeof(source->log_file), value);
        else if (is_either(name, "Exec_Source_Log_Pos", "Exec_Master_Log_Pos"))
                (void)parse_number(&source->log_position, value);
}

static void parse_connection(Replication *row, const char *name, const char *value)
{
        if (is_either(name, "Source_Host", "Master_Host"))
                text_set(row->source_host, sizeof(row->source_host), value);
        else if (is_either(name, "Source_Port", "Master_Port"))
                parse_unsigned(&row->source_port, value);
        else if (is_either(name, "Source_SSL_Allowed", "Master_SSL_Allowed"))
                row->tls = strcasecmp(value, "yes") == 0 ? TRISTATE_YES : TRISTATE_NO;
}

static void parse_lag(Replication *row, const char *name, const char *value)
{
        if (!is_either(name, "Seconds_Behind_Source", "Seconds_Behind_Master"))
                return;
        row->lag_null = !value;
        row->lag_known = value && parse_number(&row->lag_sec, value);
}

static void parse_thread(Replication *row, const char *name, const char *value)
{
        if (is_either(name, "Replica_IO_Running", "Slave_IO_Running"))
                text_set(row->io_running, sizeof(row->io_running), value);
        else if (is_either(name, "Replica_SQL_Running", "Slave_SQL_Running"))
                text_set(row->sql_running, sizeof(row->sql_running), value);
        else if (strcasecmp(name, "Last_IO_Errno") == 0)
                parse_unsigned(&row->io_errno, value);
        else if (strcasecmp(name, "Last_IO_Error") == 0)
                text_set(row->io_error, sizeof(row->io_error), value);
        else if (strcasecmp(name, "Last_IO_Error_Timestamp") == 0)
                text_set(row->io_error_time, sizeof(row->io_error_time), value);
        else if (strcasecmp(name, "Last_SQL_Errno") == 0)
                parse_unsigned(&row->sql_errno, value);
        else if (strcasecmp(name, "Last_SQL_Error") == 0)
                text_set(row->sql_error, sizeof(row->sql_error), value);
}

void replica_status_add_row(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        ReplicaStatus *status = userdata;
        ReplicationSource source = {0};
        Replication row = {0};

        for (unsigned i = 0; i < n_columns; i++) {
                parse_lag(&row, names[i], values[i]);
                if (!values[i])
                        continue;
                parse_thread(&row, names[i], values[i]);
                parse_connection(&row, names[i], values[i]);
                parse_source(&source, names[i], values[i]);
        }
        if (replication_add_channel(&status->replication, &row))
                status->source = source;
}

SessionResult replica_status_read(
        Replication *ret, ReplicationSource *ret_source, Session *session, SessionError *ret_error)
{
        ReplicaStatus status = {
                .replication = {.known = true, .checked_at_usec = clock_wall_usec()}};
        SessionResult result;

        result = session_query(
                session, "SHOW REPLICA STATUS", replica_status_add_row, &status, ret_error);
        if (result == SESSION_SERVER && ret_error->number == 1064)
                result = session_query(
                        session, "SHOW SLAVE STATUS", replica_status_add_row, &status, ret_error);
        if (result == SESSION_OK)
                *ret = status.replication;
        if (result == SESSION_OK && ret_source)
                *ret_source = status.source;
        return result;
}
