#pragma once

/*
 * SQL error: converts a session's error to an Outcome, and gives the statement that grants a
 * missing privilege.
 *
 * Error numbers are those of MySQL's server error reference; their outcomes are in doc/design.md,
 * "Outcomes". A GRANT is complete, so that an operator can paste it into a client. Its account is
 * CURRENT_USER()'s "user@host": the row of the grant tables that the server matched, which is not
 * always the user that logged in. Every function writes at most `size` bytes.
 */

#include <stddef.h>

#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* Returns true and sets the outcome if `result` is an error. `context` names the operation and
 * stands before the error's text; NULL: the text is enough. A next step that is set stays, else it
 * is that of the number (daemon/mysql/error-advice.h). */
bool sql_error_fail(
        Outcome *ret, SessionResult result, const SessionError *error, const char *context);

/* Set the outcome's next step to the statement that grants the missing privilege, if the error is
 * one of privileges; the second one always, for a procedure that is not visible. Only then one more
 * round trip reads the account. The first one also names a procedure that the server lacks. */
void sql_error_advise_procedure(Outcome *ret, Session *session, const char *procedure);
void sql_error_advise_missing(Outcome *ret, Session *session, const char *procedure);
void sql_error_advise_status(Outcome *ret, Session *session);

/* Returns false if the error is none of the table's privileges or definition: the next step stays
 * that of the error's number. */
bool sql_error_advise_table(Outcome *ret, Session *session, const char *table);

/* Sets the next step to the privilege with which the session can turn off the slow log, or with
 * `general` both query logs. */
void sql_error_advise_logs(Outcome *ret, Session *session, bool general);

#define SQL_GRANT_ACCOUNT_MAX 400 /* bytes of an account, quoted or not, with NUL */
#define SQL_GRANT_TEXT_MAX    640

/* "'user'@'host'". A name in MySQL's grant tables is at most 32 characters, a host at most 255. */
void sql_grant_quote_account(char *buffer, size_t size, const char *account);

/* "GRANT EXECUTE ON PROCEDURE mysql.NAME TO ...; if ...": a user without the privilege gets the
 * same error where the version lacks the procedure (doc/aurora.md, "Versions and privileges"). */
void sql_grant_procedure(char *buffer, size_t size, const char *procedure, const char *account);

/* The fix of an error about the ledger's table: a grant, creating the table, or a writable cluster.
 * "": the error is another one. */
void sql_grant_for_table(
        char *buffer, size_t size, unsigned sql_errno, const char *table, const char *account);

/* For SHOW REPLICA STATUS. MariaDB has a privilege of another name, separate from REPLICATION
 * CLIENT (doc/aurora.md, "Versions and privileges"); `server_version` decides which is named. */
void sql_grant_status(char *buffer, size_t size, const char *server_version, const char *account);

/* For SET SESSION of min_examined_row_limit, and with `general` of sql_log_off. */
void sql_grant_logs(
        char *buffer, size_t size, const char *server_version, const char *account, bool general);
