#include "daemon/fault.h"

#include <string.h>

#include "common/text.h"
#include "daemon/grant.h"

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

void fault_take(Outcome *ret, SessionFault fault, const SessionError *error, bool sent)
{
        switch (fault) {
        case SESSION_OK:
                return;
        case SESSION_UNREACHABLE:
                ret->kind = OUTCOME_UNREACHABLE;
                break;
        case SESSION_TLS:
                ret->kind = OUTCOME_TLS;
                break;
        case SESSION_AUTH:
                ret->kind = OUTCOME_AUTH;
                break;
        case SESSION_TIMED_OUT:
                ret->kind = sent ? OUTCOME_UNKNOWN : OUTCOME_TIMED_OUT;
                break;
        case SESSION_LOST:
                ret->kind = sent ? OUTCOME_UNKNOWN : OUTCOME_UNREACHABLE;
                break;
        case SESSION_SERVER:
        case _SESSION_FAULT_MAX:
                ret->kind = kind_of_server_error(error->number);
                break;
        }
        ret->in_doubt = ret->kind == OUTCOME_UNKNOWN;
        ret->sql_errno = error->number;
        memcpy(ret->sql_state, error->state, sizeof(ret->sql_state));
        text_set(ret->text, sizeof(ret->text), error->text);
}

static void on_account(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        (void)names;
        if (n_columns == 1 && values[0])
                text_set(userdata, GRANT_ACCOUNT_MAX, values[0]);
}

static bool ask_account(Session *session, char account[static GRANT_ACCOUNT_MAX])
{
        SessionError error;

        account[0] = '\0';
        return session_query(session, "SELECT CURRENT_USER()", on_account, account, &error) ==
                SESSION_OK &&
                account[0] != '\0';
}

void fault_advise_procedure(Outcome *ret, Session *session, const char *procedure)
{
        char account[GRANT_ACCOUNT_MAX];

        if (ret->sql_errno == 1370 && ask_account(session, account))
                grant_procedure(ret->next, sizeof(ret->next), procedure, account);
}

void fault_advise_status(Outcome *ret, Session *session)
{
        char account[GRANT_ACCOUNT_MAX], grant[GRANT_TEXT_MAX];

        if (ret->sql_errno != 1227 || !ask_account(session, account))
                return;
        grant_status(grant, sizeof(grant), ret->server_version, account);
        text_format(ret->next, sizeof(ret->next), "%s; or set replication = ignore", grant);
}

void fault_advise_table(Outcome *ret, Session *session, const char *table)
{
        char account[GRANT_ACCOUNT_MAX];

        grant_for_table(ret->next, sizeof(ret->next), ret->sql_errno, table, "");
        if (ret->next[0] != '\0' && ask_account(session, account))
                grant_for_table(ret->next, sizeof(ret->next), ret->sql_errno, table, account);
}
