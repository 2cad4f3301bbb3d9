#include "daemon/preflight.h"

#include <string.h>
#include <strings.h>

#include "common/text.h"

/* The variables that count; MariaDB's and Aurora's audit plugins share their names. */
typedef struct Variables {
        bool innodb_read_only;
        bool general_log, slow_query_log, log_without_index;
        bool audit, audit_names_events, audit_names_query;
        bool log_nowhere;
} Variables;

static bool is_on(const char *value)
{
        return strcasecmp(value, "ON") == 0 || strcmp(value, "1") == 0;
}

static void on_row(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        Variables *variables = userdata;
        const char *name, *value;

        (void)names;
        if (n_columns < 2 || !values[0] || !values[1])
                return;
        name = values[0];
        value = values[1];
        if (strcasecmp(name, "innodb_read_only") == 0)
                variables->innodb_read_only = is_on(value);
        else if (strcasecmp(name, "general_log") == 0)
                variables->general_log = is_on(value);
        else if (strcasecmp(name, "slow_query_log") == 0)
                variables->slow_query_log = is_on(value);
        else if (strcasecmp(name, "log_queries_not_using_indexes") == 0)
                variables->log_without_index = is_on(value);
        else if (strcasecmp(name, "log_output") == 0)
                variables->log_nowhere = strcasecmp(value, "NONE") == 0;
        else if (strcasecmp(name, "server_audit_logging") == 0)
                variables->audit = is_on(value);
        else if (strcasecmp(name, "server_audit_events") == 0) {
                variables->audit_names_events = value[0] != '\0';
                variables->audit_names_query = strcasestr(value, "QUERY") != NULL;
        }
}

SessionFault preflight_look(Preflight *ret, Session *session, SessionError *ret_error)
{
        static const char look[] =
                "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_read_only', 'general_log', "
                "'slow_query_log', 'log_queries_not_using_indexes', 'log_output', "
                "'server_audit_logging', 'server_audit_events')";
        Preflight preflight = {0};
        Variables variables = {0};
        const char *keeps = "";
        SessionFault fault;

        fault = session_query(session, look, on_row, &variables, ret_error);
        if (fault != SESSION_OK)
                return fault;
        preflight.reader = variables.innodb_read_only;
        preflight.logs_slow = variables.slow_query_log && !variables.log_nowhere;
        if (variables.general_log && !variables.log_nowhere)
                keeps = "general_log = ON";
        else if (preflight.logs_slow && variables.log_without_index)
                keeps = "slow_query_log = ON with log_queries_not_using_indexes = ON";
        else if (variables.audit && (!variables.audit_names_events || variables.audit_names_query))
                keeps = "server_audit_logging = ON for queries";
        text_set(preflight.keeps_call, sizeof(preflight.keeps_call), keeps);

        /* The threshold of the session needs no privilege; its maximum is a year. */
        if (preflight.logs_slow) {
                fault = session_query(
                        session, "SET SESSION long_query_time = 31536000", NULL, NULL, ret_error);
                if (fault == SESSION_SERVER && keeps[0] == '\0')
                        text_set(preflight.keeps_call, sizeof(preflight.keeps_call),
                                "slow_query_log = ON");
                if (fault != SESSION_OK && fault != SESSION_SERVER)
                        return fault;
        }
        *ret = preflight;
        return SESSION_OK;
}
