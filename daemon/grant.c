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
        text_format(buffer, size, "GRANT EXECUTE ON PROCEDURE mysql.%s TO %s", procedure, quoted);
}

void grant_table(char *buffer, size_t size, const char *table, const char *account)
{
        char quoted[GRANT_ACCOUNT_MAX];

        grant_quote_account(quoted, sizeof(quoted), account);
        text_format(buffer, size, "GRANT SELECT, INSERT, UPDATE ON %s TO %s", table, quoted);
}

void grant_status(char *buffer, size_t size, const char *server_version, const char *account)
{
        char quoted[GRANT_ACCOUNT_MAX];

        grant_quote_account(quoted, sizeof(quoted), account);
        text_format(buffer, size, "GRANT %s ON *.* TO %s",
                strstr(server_version, "MariaDB") ? "REPLICA MONITOR" : "REPLICATION CLIENT",
                quoted);
}
