#include "daemon/mysql/sql-error.h"

#include <string.h>

#include "common/text.h"
#include "daemon/mysql/error-advice.h"

static OutcomeKind kind_of_server_error(unsigned number)
{
        switch (number) {
        case 1305:
                return OUTCOME_NO_PROCEDURE;
        case 1370:
                return OUTCOME_NO_PRIVILEGE;
        case 1036: /* a table is read only, as under innodb_read_only */
        case 1290: /* --read-only */
        case 1836: /* read-only mode */
                return OUTCOME_NOT_WRITER;
        default:
                return OUTCOME_REJECTED;
        }
}

bool sql_error_fail(
        Outcome *ret, SessionResult result, const SessionError *error, const char *context)
{
        static const OutcomeKind kinds[_SESSION_RESULT_MAX] = {
                [SESSION_UNREACHABLE] = OUTCOME_UNREACHABLE,
                [SESSION_TLS] = OUTCOME_TLS,
                [SESSION_AUTH] = OUTCOME_AUTH,
                [SESSION_TIMED_OUT] = OUTCOME_TIMED_OUT,
                [SESSION_LOST] = OUTCOME_UNREACHABLE,
        };

        if (result == SESSION_OK)
                return false;
        ret->kind = result == SESSION_SERVER ? kind_of_server_error(error->number) : kinds[result];
        ret->sql_errno = error->number;
        if (ret->next_step[0] == '\0')
                text_set(ret->next_step, sizeof(ret->next_step), error_advice(error->number));
        text_format(ret->text, sizeof(ret->text), "%s%s%s", context ? context : "",
                context ? ": " : "", error->text);
        return true;
}

static void on_account(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        if (n_columns == 1 && values[0])
                text_set(userdata, SQL_GRANT_ACCOUNT_MAX, values[0]);
}

static bool read_account(Session *session, char account[static SQL_GRANT_ACCOUNT_MAX])
{
        SessionError error;

        account[0] = '\0';
        return session_query(session, "SELECT CURRENT_USER()", on_account, account, &error) ==
                SESSION_OK &&
                account[0] != '\0';
}

void sql_error_advise_missing(Outcome *ret, Session *session, const char *procedure)
{
        char account[SQL_GRANT_ACCOUNT_MAX];

        if (read_account(session, account))
                sql_grant_procedure(ret->next_step, sizeof(ret->next_step), procedure, account);
}

void sql_error_advise_procedure(Outcome *ret, Session *session, const char *procedure)
{
        if (ret->sql_errno == 1305)
                text_format(ret->next_step, sizeof(ret->next_step),
                        "this server has no mysql.%s; check host and the Aurora MySQL version",
                        procedure);
        if (ret->sql_errno == 1370)
                sql_error_advise_missing(ret, session, procedure);
}

void sql_error_advise_status(Outcome *ret, Session *session)
{
        char account[SQL_GRANT_ACCOUNT_MAX], grant[SQL_GRANT_TEXT_MAX];

        if (ret->sql_errno != 1227 || !read_account(session, account))
                return;
        sql_grant_status(grant, sizeof(grant), ret->server.version, account);
        text_format(
                ret->next_step, sizeof(ret->next_step), "%s; or set replication = ignore", grant);
}

void sql_error_advise_logs(Outcome *ret, Session *session, bool general)
{
        char account[SQL_GRANT_ACCOUNT_MAX];

        if (read_account(session, account))
                sql_grant_logs(ret->next_step, sizeof(ret->next_step), ret->server.version, account,
                        general);
}

bool sql_error_advise_table(Outcome *ret, Session *session, const char *table)
{
        char account[SQL_GRANT_ACCOUNT_MAX], step[OUTCOME_NEXT_STEP_MAX];

        sql_grant_for_table(step, sizeof(step), ret->sql_errno, table, "");
        if (step[0] == '\0')
                return false;
        if (read_account(session, account))
                sql_grant_for_table(step, sizeof(step), ret->sql_errno, table, account);
        text_set(ret->next_step, sizeof(ret->next_step), step);
        return true;
}

/* A quote or backslash in a name is doubled, as in any SQL literal; a host holds no '@', so the
 * last one separates the two. */
void sql_grant_quote_account(char *buffer, size_t size, const char *account)
{
        const char *separator = strrchr(account, '@');
        size_t used = 0;

        for (const char *byte = account; *byte != '\0' && used + 6 < size; byte++) {
                if (byte == account)
                        buffer[used++] = '\'';
                if (byte == separator) {
                        memcpy(buffer + used, "'@'", 3);
                        used += 3;
                        continue;
                }
                if (*byte == '\'' || *byte == '\\')
                        buffer[used++] = *byte;
                buffer[used++] = *byte;
        }
        if (used > 0)
                buffer[used++] = '\'';
        buffer[used] = '\0';
}

void sql_grant_procedure(char *buffer, size_t size, const char *procedure, const char *account)
{
        char quoted[SQL_GRANT_ACCOUNT_MAX];

        sql_grant_quote_account(quoted, sizeof(quoted), account);
        text_format(buffer, size,
                "GRANT EXECUTE ON PROCEDURE mysql.%s TO %s; if the server then reports that the "
                "procedure does not exist, check host and the Aurora MySQL version",
                procedure, quoted);
}

void sql_grant_for_table(
        char *buffer, size_t size, unsigned sql_errno, const char *table, const char *account)
{
        char quoted[SQL_GRANT_ACCOUNT_MAX];

        buffer[0] = '\0';
        switch (sql_errno) {
        case 1044: /* no access to the schema */
        case 1142: /* no access to the table */
        case 1143: /* no access to a column */
                sql_grant_quote_account(quoted, sizeof(quoted), account);
                text_format(
                        buffer, size, "GRANT SELECT, INSERT, UPDATE ON %s TO %s", table, quoted);
                break;
        case 1049: /* no such schema */
        case 1054: /* no such column */
        case 1146: /* no such table */
                text_format(buffer, size,
                        "create the table %s as binlog-ssld.conf(5) shows it, or set ledger = off",
                        table);
                break;
        case 1290: /* read_only, also on a writer (doc/aurora.md, "Connection") */
                text_format(buffer, size,
                        "read_only = ON keeps this user from writing %s: switch it off, or set "
                        "ledger = off",
                        table);
                break;
        default:
                break;
        }
}

static bool is_mariadb(const char *server_version)
{
        return strstr(server_version, "MariaDB") != NULL;
}

void sql_grant_status(char *buffer, size_t size, const char *server_version, const char *account)
{
        char quoted[SQL_GRANT_ACCOUNT_MAX];

        sql_grant_quote_account(quoted, sizeof(quoted), account);
        text_format(buffer, size, "GRANT %s ON *.* TO %s",
                is_mariadb(server_version) ? "REPLICA MONITOR" : "REPLICATION CLIENT", quoted);
}

void sql_grant_logs(
        char *buffer, size_t size, const char *server_version, const char *account, bool general)
{
        char quoted[SQL_GRANT_ACCOUNT_MAX];

        sql_grant_quote_account(quoted, sizeof(quoted), account);
        text_format(buffer, size,
                "GRANT %s ON *.* TO %s; or switch off what the reason names, on Aurora in the "
                "cluster's parameter group; or set query-log = warn if the log may hold the key",
                is_mariadb(server_version) ? "SUPER"
                        : general          ? "SESSION_VARIABLES_ADMIN, CONNECTION_ADMIN"
                                           : "SESSION_VARIABLES_ADMIN",
                quoted);
}
