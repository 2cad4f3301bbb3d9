#pragma once

/*
 * Ledger: reads and writes the table on the cluster that records each import, so that any number of
 * daemons import each set once, and the state of a restored or cloned cluster is known.
 *
 * The cluster coordinates the daemons: an import holds GET_LOCK(), which ends with its connection.
 * A row is written before the CALL and completed after it; a row that was never completed belongs
 * to an import with an unknown result, and the set is imported once more.
 *
 * A set is never replaced by an older one without force: a daemon whose directory lags behind the
 * others', or that was restarted with yesterday's files, would otherwise restore an old set. A set
 * is older if the ledger names it before its newest row, or if its certificate's time began
 * earlier.
 *
 * A row also says that replication was stopped for its set and is not started again, so that
 * another daemon can start it. A table that was created without that column is used as well; then
 * only the daemon's own record says so.
 *
 * A removal makes its newest row one with an unknown result before the CALL, and all rows removed
 * after it: a daemon that is not disabled there imports again, whatever the removal came to.
 *
 * The table is described in binlog-ssld.conf(5); its times are UTC. Needs SELECT, INSERT and
 * UPDATE.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/outcome.h"
#include "daemon/model/record.h"
#include "daemon/mysql/session.h"

/* Newest first; a set in an earlier row is compared by its certificate's time. */
#define LEDGER_ROWS_MAX 64

typedef enum LedgerComparison {
        LEDGER_IMPORT,
        LEDGER_CURRENT,    /* the newest row is this set, and complete */
        LEDGER_SUPERSEDED, /* the ledger has a newer set */
        _LEDGER_COMPARISON_MAX,
} LedgerComparison;

/* Rows of the table, newest first. */
typedef struct Ledger {
        LedgerEntry entries[LEDGER_ROWS_MAX];
        size_t n_entries;
        bool has_stop;   /* the table has the column replication_stopped */
        RecordStop stop; /* the newest one; at_usec 0: none, else the time of the reading */
        bool locked;     /* a daemon has the lock: its import runs */
} Ledger;

/* Names the set by its fingerprint where rows of an older version have the legacy one. Pure. */
void ledger_adopt_set(Ledger *ledger, LedgerReading *reading, const SetInfo *set);

/* Pure. */
LedgerComparison ledger_compare(const Ledger *ledger, const SetInfo *set);

/* Waits for the lock at most `wait_sec`. `ret_locked` false: another daemon still holds it. */
SessionResult ledger_lock(
        bool *ret_locked, Session *session, unsigned wait_sec, SessionError *ret_error);

/* `ret_reading` gets the newest row that is neither failed nor removed. */
SessionResult ledger_read(Ledger *ret, LedgerReading *ret_reading, Session *session,
        const char *table, SessionError *ret_error);

/* Returns SESSION_OK if a row could be written; writes none. */
SessionResult ledger_check_writable(Session *session, const char *table, SessionError *ret_error);

/* What a table lacks that an earlier version has created, and what adds it. */
typedef struct LedgerColumns {
        bool known; /* otherwise the rest has no meaning */
        bool has_stop, has_removed;
} LedgerColumns;

#define LEDGER_ADD_STOP "ADD replication_stopped VARCHAR(300)"
#define LEDGER_MODIFY_STATE \
        "MODIFY state ENUM('importing', 'imported', 'failed', 'removed') NOT NULL"

SessionResult ledger_read_columns(
        LedgerColumns *ret, Session *session, const char *table, SessionError *ret_error);

/* Writes the row of an import that begins. An incomplete newest row of the same set is used again,
 * so that repeated attempts leave one row. */
SessionResult ledger_begin(uint64_t *ret_id, Session *session, const char *table,
        const Ledger *ledger, const SetInfo *set, SessionError *ret_error);

/* Writes into the newest row of the set that replication is stopped for it: before the stop, and
 * again with the coordinates when that is completed. */
SessionResult ledger_stop(Session *session, const char *table, const SetInfo *set,
        const ReplicationSource *source, bool completed, SessionError *ret_error);

/* The statement that clears every stop: replication is started. */
#define LEDGER_STATEMENT_MAX 1024
void ledger_format_start(char buffer[static LEDGER_STATEMENT_MAX], const char *table);

/* Completes the row: the server acknowledged the CALL, or refused it. */
SessionResult ledger_finish(
        Session *session, const char *table, uint64_t id, bool imported, SessionError *ret_error);

/* Changes the state of one row, whose times stay. */
SessionResult ledger_set_state(Session *session, const char *table, const LedgerEntry *entry,
        LedgerState state, SessionError *ret_error);

/* The material was removed: no row names a set that is on the cluster any more. */
SessionResult ledger_remove(Session *session, const char *table, SessionError *ret_error);
