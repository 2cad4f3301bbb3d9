#pragma once

/*
 * Grant: the statement that gives an account what it lacks, whole, to be pasted into a client.
 *
 * `account` is CURRENT_USER()'s "user@host": the row of the grant tables that the server found, which
 * is not always the user that logged in. Every function writes at most `size` bytes.
 */

#include <stddef.h>

#define GRANT_ACCOUNT_MAX 400 /* bytes of an account, quoted or not, with NUL */
#define GRANT_TEXT_MAX    640

/* "'user'@'host'". A name in MySQL's grant tables is at most 32 characters, a host at most 255. */
void grant_quote_account(char *buffer, size_t size, const char *account);

/* "GRANT EXECUTE ON PROCEDURE mysql.NAME TO ...; when ...": to who may not execute it, a version that
 * does not have it looks the same. */
void grant_procedure(char *buffer, size_t size, const char *procedure, const char *account);

/* What an error about the ledger's table wants: a grant, the table, or a cluster that can be written
 * to. "": none of these. */
void grant_for_table(
        char *buffer, size_t size, unsigned sql_errno, const char *table, const char *account);

/* To read SHOW REPLICA STATUS. MariaDB parted that privilege from REPLICATION CLIENT, and calls it
 * by another name; `server_version` tells which of them it is. */
void grant_status(char *buffer, size_t size, const char *server_version, const char *account);
