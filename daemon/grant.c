#include "daemon/grant.h"

#include <string.h>

#include "common/text.h"

/* A quote or backslash within a name is doubled, as in any literal of SQL; a host holds no '@', so
 * the last one parts the two. */
void grant_quote_account(char *buffer, size_t size, const char *account)
{
        const char *parting = strrchr(account, '@');
        size_t used = 0;

        for (const char *byte = account; *byte != '\0' && used + 6 < size; byte++) {
                if (byte == account)
                        buffer[used++] = '\'';
                if (byte == parting) {
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

void grant_procedure(char *buffer, size_t size, const char *procedure, const char *account)
{
        char quoted[GRANT_ACCOUNT_MAX];

        grant_quote_account(quoted, sizeof(quoted), account);
        text_format(buffer, size,
                "GRANT EXECUTE ON PROCEDURE mysql.%s TO %s; when it answers that there is no such "
                "procedure, check host and the Aurora MySQL version",
                procedure, quoted);
}

void grant_for_table(
        char *buffer, size_t size, unsigned sql_errno, const char *table, const char *account)
{
        char quoted[GRANT_ACCOUNT_MAX];

        buffer[0] = '\0';
        switch (sql_errno) {
        case 1044: /* no access to the schema */
        case 1142: /* to the table */
        case 1143: /* to a column */
                grant_quote_account(quoted, sizeof(quoted), account);
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
        case 1290: /* read_only, which the writer of a cluster may be, too */
                text_format(buffer, size,
                        "read_only = ON keeps this user from writing %s: switch it off, or set "
                        "ledger = off",
                        table);
                break;
        default:
                break;
        }
}

void grant_status(char *buffer, size_t size, const char *server_version, const char *account)
{
        char quoted[GRANT_ACCOUNT_MAX];

        grant_quote_account(quoted, sizeof(quoted), account);
        text_format(buffer, size, "GRANT %s ON *.* TO %s",
                strstr(server_version, "MariaDB") ? "REPLICA MONITOR" : "REPLICATION CLIENT",
                quoted);
}
