#pragma once

/*
 * Ledger: a table on the cluster in which daemons write what they import, so that any number of them
 * import each set once, and a cluster that was restored or cloned tells the truth about itself.
 *
 * The cluster coordinates: who imports holds GET_LOCK() there, which ends with its connection. A row
 * is written before the CALL and completed after it; one that was never completed stands for a
 * daemon that died in between, and then one more import makes sure.
 *
 * A set is never replaced by an older one on its own account: a daemon whose directory lags behind
 * the others', or that was restarted with yesterday's files, would take the cluster back. Older is
 * what the ledger names before its newest row, or a certificate whose time began earlier. An
 * operator who wants it back says so (force).
 *
 * The table is binlog-ssld.conf(5)'s; its times are UTC. Needs SELECT, INSERT and UPDATE on it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

#define LEDGER_ROWS_MAX \
        64 /* newest first; what is further back is told by its certificate's time */

typedef enum LedgerComparison {
        LEDGER_IMPORT,
        LEDGER_CURRENT,    /* its newest row is this set, and complete */
        LEDGER_SUPERSEDED, /* another set came after this one */
        _LEDGER_COMPARISON_MAX,
} LedgerComparison;

/* Rows as they came, newest first. */
typedef struct Ledger {
        LedgerEntry entries[LEDGER_ROWS_MAX];
        size_t n_entries;
} Ledger;

/* NULL: the ledger names no set. A failed attempt counts for nothing. */
const LedgerEntry *ledger_newest(const Ledger *ledger);

/* Pure. */
LedgerComparison ledger_compare(const Ledger *ledger, const SetInfo *set);

/* Waits until nobody else imports here. `ret_locked` false: somebody still does. */
SessionResult ledger_lock(
        bool *ret_locked, Session *session, unsigned wait_sec, SessionError *ret_error);

SessionResult ledger_read(
        Ledger *ret, Session *session, const char *table, SessionError *ret_error);

/* Whether a row could be written, without writing one. */
SessionResult ledger_check_writable(Session *session, const char *table, SessionError *ret_error);

/* Writes the row of an import that begins. A row of this set that was not completed is used again, so
 * that a set that is tried for days has one. */
SessionResult ledger_begin(uint64_t *ret_id, Session *session, const char *table,
        const Ledger *ledger, const SetInfo *set, SessionError *ret_error);

/* Completes it: the server acknowledged the CALL, or refused it. */
SessionResult ledger_finish(
        Session *session, const char *table, uint64_t id, bool imported, SessionError *ret_error);
