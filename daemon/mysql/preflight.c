#include "daemon/mysql/preflight.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

#define SERVER_UUID_LENGTH 36 /* digits and dashes; MySQL manual, "server_uuid" */

/* Servers report ON or 1; every value but OFF and 0 counts as on. */
static bool is_on(const char *value)
{
        return strcasecmp(value, "OFF") != 0 && strcmp(value, "0") != 0;
}

/* Reads the next name of a list with commas, without the blanks around it. Returns false at the
 * end. */
static bool next_name(const char **list, const char **ret, size_t *ret_size)
{
        while (**list != '\0') {
                const char *name = *list + strspn(*list, " ");
                size_t size = strcspn(name, ",");

                *list = name + size + (name[size] == ',' ? 1 : 0);
                while (size > 0 && name[size - 1] == ' ')
                        size--;
                *ret = name;
                *ret_size = size;
                if (size > 0)
                        return true;
        }
        return false;
}

static bool list_names(const char *list, const char *wanted, size_t wanted_size)
{
        const char *name;
        size_t size;

        while (next_name(&list, &name, &size))
                if (size == wanted_size && strncasecmp(name, wanted, size) == 0)
                        return true;
        return false;
}

/* Only an exact name counts as an exclusion: whether a server ignores case or blanks is not known
 * of each. */
static bool list_names_exactly(const char *list, const char *wanted)
{
        size_t size = strlen(wanted);

        for (const char *name = list; size > 0;) {
                size_t length = strcspn(name, ",");

                if (length == size && memcmp(name, wanted, size) == 0)
                        return true;
                if (name[length] == '\0')
                        break;
                name += length + 1;
        }
        return false;
}

/* An empty list is every event for MariaDB's plugin and none for Aurora (doc/aurora.md, "Leaks"). A
 * CALL is a QUERY_DML where queries have classes, and an unknown event may include it. */
static bool events_include_call(const char *list)
{
        static const char harmless[] = "CONNECT,TABLE,QUERY_DDL,QUERY_DCL";
        const char *name;
        bool any = false;
        size_t size;

        for (; next_name(&list, &name, &size); any = true)
                if (!list_names(harmless, name, size))
                        return true;
        return !any;
}

static bool parse_bytes(uint64_t *ret, const char *value)
{
        char *end;

        *ret = strtoull(value, &end, 10);
        return end != value && *end == '\0' && value[0] != '-';
}

/* 0 is no size of a packet. */
static uint64_t parse_packet(const char *value)
{
        uint64_t bytes;

        return parse_bytes(&bytes, value) ? bytes : 0;
}

/* What is no UUID identifies no server. */
static void parse_uuid(PreflightVariables *variables, const char *value)
{
        size_t length = strlen(value);

        if (length == SERVER_UUID_LENGTH && strspn(value, "0123456789abcdefABCDEF-") == length)
                text_set(variables->server_uuid, sizeof(variables->server_uuid), value);
}

void preflight_parse_variable(PreflightVariables *variables, const char *name, const char *value)
{
        if (strcasecmp(name, "innodb_read_only") == 0) {
                variables->role_known = true;
                variables->reader = is_on(value);
        } else if (strcasecmp(name, "general_log") == 0) {
                variables->general_log_known = true;
                variables->general_log = is_on(value);
        } else if (strcasecmp(name, "slow_query_log") == 0) {
                variables->slow_log_known = true;
                variables->slow_log = is_on(value);
        } else if (strcasecmp(name, "log_queries_not_using_indexes") == 0)
                variables->without_index_off = !is_on(value);
        else if (strcasecmp(name, "log_output") == 0)
                variables->log_output_none = list_names(value, "NONE", strlen("NONE"));
        else if (strcasecmp(name, "server_audit_logging") == 0)
                variables->audit = is_on(value);
        else if (strcasecmp(name, "server_audit_events") == 0) {
                variables->audit_without_calls = !events_include_call(value);
                text_set(variables->audit_events, sizeof(variables->audit_events), value);
        } else if (strcasecmp(name, "server_audit_incl_users") == 0) {
                variables->includes_any = value[0] != '\0';
                variables->includes_user =
                        list_names(value, variables->user, strlen(variables->user));
        } else if (strcasecmp(name, "server_audit_excl_users") == 0) {
                variables->excludes_any = value[0] != '\0';
                variables->excludes_user = list_names_exactly(value, variables->user);
        } else if (strcasecmp(name, "performance_schema") == 0)
                variables->keeps_text = is_on(value);
        else if (strcasecmp(name, "performance_schema_max_sql_text_length") == 0)
                variables->text_bytes_known = parse_bytes(&variables->text_bytes, value);
        else if (strcasecmp(name, "max_allowed_packet") == 0)
                variables->max_allowed_packet = parse_packet(value);
        else if (strcasecmp(name, "net_buffer_length") == 0)
                variables->net_buffer_length = parse_packet(value);
        else if (strcasecmp(name, "server_uuid") == 0)
                parse_uuid(variables, value);
}

/* A user in both lists is audited. If one list names only others, MariaDB's plugin and Aurora's
 * documentation agree; if both do, the documentation is silent and the user counts as audited. */
static bool audits_user(const PreflightVariables *variables)
{
        if (variables->includes_user)
                return true;
        if (variables->excludes_user)
                return false;
        return !variables->includes_any || variables->excludes_any;
}

PRINTF(3, 4) static void add(char *text, size_t size, const char *format, ...)
{
        size_t length = strlen(text);
        va_list arguments;

        if (length > 0) {
                text_set(text + length, size - length, "; ");
                length = strlen(text);
        }
        va_start(arguments, format);
        text_vformat(text + length, size - length, format, arguments);
        va_end(arguments);
}

void preflight_evaluate(Preflight *ret, const PreflightVariables *variables)
{
        bool general = variables->general_log && !variables->log_output_none;
        bool slow = variables->slow_log && !variables->log_output_none;
        char *keeps = ret->keeps_call;
        const size_t size = sizeof(ret->keeps_call);

        *ret = (Preflight){.role_known = variables->role_known,
                .reader = variables->reader,
                .general_privilege_missing = variables->general_privilege_missing,
                .slow_privilege_missing = variables->slow_privilege_missing};
        if (variables->role_known && !variables->reader)
                text_set(ret->server_uuid, sizeof(ret->server_uuid), variables->server_uuid);
        if (general && !variables->general_log_disabled)
                add(keeps, size, "general_log = ON");
        if (slow && !variables->slow_log_disabled)
                add(keeps, size, "slow_query_log = ON, which this session cannot turn off%s",
                        variables->without_index_off
                                ? ""
                                : " while log_queries_not_using_indexes is not OFF");
        if (variables->audit && !variables->audit_without_calls && audits_user(variables))
                add(keeps, size,
                        "server_audit_logging = ON with server_audit_events = '%s' "
                        "(server_audit_excl_users can name this user)",
                        variables->audit_events);
        ret->keeps_unknown = keeps[0] == '\0';
        if (!variables->general_log_known)
                add(keeps, size, "general_log is not in its answer");
        if (!variables->slow_log_known)
                add(keeps, size, "slow_query_log is not in its answer");
        ret->keeps_unknown = ret->keeps_unknown && keeps[0] != '\0';
        if (variables->max_allowed_packet > 0)
                ret->packet_limit = variables->max_allowed_packet > variables->net_buffer_length
                        ? variables->max_allowed_packet
                        : variables->net_buffer_length;
        if (variables->keeps_text)
                ret->text_bytes = variables->text_bytes_known ? variables->text_bytes : UINT64_MAX;
}

static void on_row(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        if (n_columns == 2 && values[0] && values[1])
                preflight_parse_variable(userdata, values[0], values[1]);
}

const char *preflight_slow_log_statement(const PreflightVariables *variables)
{
        return variables->without_index_off ? "SET SESSION long_query_time = 31536000"
                                            : "SET SESSION min_examined_row_limit = 4294967295";
}

/* A refusal of the server is no error: the log stays on. */
static SessionResult accept_refusal(SessionResult result, const SessionError *error, bool *missing)
{
        if (result != SESSION_SERVER)
                return result;
        *missing = error->number == 1227;
        return SESSION_OK;
}

static void on_privilege(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        *(bool *)userdata = true;
}

/* MySQL accepts sql_log_off from a user with SESSION_VARIABLES_ADMIN, and continues to log
 * unless the user has one of two other privileges as well. One through a role is not found here. */
static SessionResult disable_general_log(
        PreflightVariables *variables, Session *session, SessionError *ret_error)
{
        static const char effective[] =
                "SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN "
                "('SUPER', 'CONNECTION_ADMIN') AND REPLACE(GRANTEE, '''', '') = CURRENT_USER()";
        SessionResult result =
                session_query(session, "SET SESSION sql_log_off = 1", NULL, NULL, ret_error);

        if (result == SESSION_OK)
                result = session_query(session, effective, on_privilege,
                        &variables->general_log_disabled, ret_error);
        if (result == SESSION_OK)
                variables->general_privilege_missing = !variables->general_log_disabled;
        return accept_refusal(result, ret_error, &variables->general_privilege_missing);
}

static SessionResult disable_slow_log(
        PreflightVariables *variables, Session *session, SessionError *ret_error)
{
        SessionResult result = session_query(
                session, preflight_slow_log_statement(variables), NULL, NULL, ret_error);

        variables->slow_log_disabled = result == SESSION_OK;
        return accept_refusal(result, ret_error, &variables->slow_privilege_missing);
}

SessionResult preflight_run(
        Preflight *ret, Session *session, const char *user, SessionError *ret_error)
{
        /* completion_type first: with RELEASE a ROLLBACK ends the connection. */
        static const char statement[] =
                "SET SESSION completion_type = NO_CHAIN; ROLLBACK; "
                "SET SESSION TRANSACTION READ WRITE; "
                "SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', "
                "time_zone = '+00:00', sql_safe_updates = 0; "
                "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_read_only', 'server_uuid', "
                "'general_log', "
                "'slow_query_log', 'log_queries_not_using_indexes', 'log_output', "
                "'server_audit_logging', 'server_audit_events', 'server_audit_incl_users', "
                "'server_audit_excl_users', 'performance_schema', "
                "'performance_schema_max_sql_text_length', 'max_allowed_packet', "
                "'net_buffer_length')";
        PreflightVariables variables = {.user = user};
        SessionResult result = session_query(session, statement, on_row, &variables, ret_error);

        if (result == SESSION_OK && variables.general_log && !variables.log_output_none)
                result = disable_general_log(&variables, session, ret_error);
        if (result == SESSION_OK && variables.slow_log && !variables.log_output_none)
                result = disable_slow_log(&variables, session, ret_error);
        if (result == SESSION_OK)
                preflight_evaluate(ret, &variables);
        return result;
}

SessionResult preflight_identify(Preflight *ret, Session *session, SessionError *ret_error)
{
        static const char statement[] = "SHOW GLOBAL VARIABLES WHERE Variable_name IN "
                                        "('innodb_read_only', 'server_uuid')";
        PreflightVariables variables = {0};
        SessionResult result = session_query(session, statement, on_row, &variables, ret_error);

        if (result == SESSION_OK)
                preflight_evaluate(ret, &variables);
        return result;
}

bool preflight_is_valid(const Preflight *preflight)
{
        return is_boolean(&preflight->role_known) && is_boolean(&preflight->reader) &&
                TEXT_IS_RECEIVED(preflight->server_uuid) &&
                TEXT_IS_RECEIVED(preflight->keeps_call) && is_boolean(&preflight->keeps_unknown) &&
                is_boolean(&preflight->general_privilege_missing) &&
                is_boolean(&preflight->slow_privilege_missing);
}

bool preflight_would_log_key(
        char *buffer, size_t size, const Preflight *preflight, uint64_t key_offset)
{
        char keeps[PREFLIGHT_TEXT_MAX];
        bool keeps_text = preflight->text_bytes > key_offset;

        text_set(keeps, sizeof(keeps), preflight->keeps_call);
        if (keeps_text && preflight->text_bytes == UINT64_MAX)
                add(keeps, sizeof(keeps), "%s", PREFLIGHT_TEXT_BYTES_UNKNOWN);
        else if (keeps_text)
                add(keeps, sizeof(keeps),
                        "performance_schema_max_sql_text_length = %" PRIu64
                        ", and the key begins at byte %" PRIu64,
                        preflight->text_bytes, key_offset);
        text_format(buffer, size, "the server %s: %s",
                preflight->keeps_unknown && !keeps_text
                        ? "does not report whether it would log the key"
                        : "would write the key to a log",
                keeps);
        return keeps[0] != '\0';
}

bool preflight_would_log_password(char *buffer, size_t size, const Preflight *preflight)
{
        char keeps[PREFLIGHT_TEXT_MAX];

        text_set(keeps, sizeof(keeps), preflight->keeps_call);
        if (preflight->text_bytes > 0)
                add(keeps, sizeof(keeps), "performance_schema = ON keeps the text of statements");
        text_format(buffer, size, "the server %s: %s",
                preflight->keeps_unknown && preflight->text_bytes == 0
                        ? "does not report whether it would log the replication password"
                        : "would write the replication password to a log",
                keeps);
        return keeps[0] != '\0';
}

bool preflight_would_refuse_packet(
        char *buffer, size_t size, const Preflight *preflight, uint64_t bytes)
{
        text_format(buffer, size,
                "the call takes %" PRIu64
                " bytes, and a packet of the server has less than %" PRIu64 " (max_allowed_packet)",
                bytes, preflight->packet_limit);
        return preflight->packet_limit > 0 && bytes >= preflight->packet_limit;
}

const char *preflight_not_writer_reason(const Preflight *preflight)
{
        if (!preflight->role_known)
                return "the server does not report whether it is a writer: innodb_read_only is not "
                       "in its answer";
        return preflight->reader ? "this server is a reader (innodb_read_only = 1)" : NULL;
}
