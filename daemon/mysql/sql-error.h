#pragma once

/*
 * Fault: how what a session met reads as an outcome, and what a person can do about it.
 *
 * The numbers are those of MySQL's server error reference; what they come to is design 8.
 */

#include <stddef.h>

#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* Returns true and sets the outcome, if `result` is an error. `context` names the operation and stands
 * before the error's text; NULL: the text says enough. */
bool sql_error_fail(
        Outcome *ret, SessionResult result, const SessionError *error, const char *context);

/* The same for the CALL of the import. `sent`: the payload may have left the host, as session_call()
 * reports it; a broken connection then has an unknown result. */
bool sql_error_fail_call(Outcome *ret, SessionResult result, const SessionError *error, bool sent);

/* Give the outcome the statement that grants what the server's number says is missing, if it does;
 * who one is there costs a round trip, and only then. */
void sql_error_advise_procedure(Outcome *ret, Session *session, const char *procedure);
void sql_error_advise_status(Outcome *ret, Session *session);
void sql_error_advise_table(Outcome *ret, Session *session, const char *table);

/*
 * Grant: the statement that gives an account what it lacks, whole, to be pasted into a client.
 *
 * `account` is CURRENT_USER()'s "user@host": the row of the grant tables that the server found, which
 * is not always the user that logged in. Every function writes at most `size` bytes.
 */

#define SQL_GRANT_ACCOUNT_MAX 400 /* bytes of an account, quoted or not, with NUL */
#define SQL_GRANT_TEXT_MAX    640

/* "'user'@'host'". A name in MySQL's grant tables is at most 32 characters, a host at most 255. */
void sql_grant_quote_account(char *buffer, size_t size, const char *account);

/* "GRANT EXECUTE ON PROCEDURE mysql.NAME TO ...; when ...": to who may not execute it, a version that
 * does not have it looks the same. */
void sql_grant_procedure(char *buffer, size_t size, const char *procedure, const char *account);

/* What an error about the ledger's table wants: a grant, the table, or a cluster that can be written
 * to. "": none of these. */
void sql_grant_for_table(
        char *buffer, size_t size, unsigned sql_errno, const char *table, const char *account);

/* To read SHOW REPLICA STATUS. MariaDB parted that privilege from REPLICATION CLIENT, and calls it
 * by another name; `server_version` tells which of them it is. */
void sql_grant_status(char *buffer, size_t size, const char *server_version, const char *account);
