#include "daemon/mysql/ledger.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"

/* One for all ledgers of a server: the lock protects the import, and a cluster has one import. */
#define LEDGER_LOCK "binlog-ssld"

#define LEDGER_TABLE_MAX 160 /* two names of 64 bytes, quoted */

/* One statement inserts or updates, so that a missing UPDATE privilege is found before the CALL. */
#define LEDGER_COLUMNS \
        "fingerprint, not_before, not_after, daemon, account, started_at, imported_at, state"
#define LEDGER_TAKE_OVER                                                                \
        " ON DUPLICATE KEY UPDATE daemon = VALUES(daemon), account = VALUES(account), " \
        "fingerprint = VALUES(fingerprint), started_at = VALUES(started_at), imported_at = NULL, state = 'importing'"

static const char *const state_names[_LEDGER_STATE_MAX] = {
        [LEDGER_STATE_IMPORTING] = "importing",
        [LEDGER_STATE_IMPORTED] = "imported",
        [LEDGER_STATE_FAILED] = "failed",
        [LEDGER_STATE_REMOVED] = "removed",
};

/* Returns true unless the row is about a set that is certainly not on the cluster. */
static bool counts(const LedgerEntry *entry)
{
        return entry->state != LEDGER_STATE_FAILED && entry->state != LEDGER_STATE_REMOVED;
}

static const LedgerEntry *newest_of(const Ledger *ledger)
{
        for (size_t i = 0; i < ledger->n_entries; i++)
                if (counts(&ledger->entries[i]))
                        return &ledger->entries[i];
        return NULL;
}

static void adopt_set(SetInfo *row, const SetInfo *set)
{
        if (set->legacy_fingerprint[0] != '\0' &&
                strcmp(row->fingerprint, set->legacy_fingerprint) == 0)
                text_set(row->fingerprint, sizeof(row->fingerprint), set->fingerprint);
}

void ledger_adopt_set(Ledger *ledger, LedgerReading *reading, const SetInfo *set)
{
        for (size_t i = 0; i < ledger->n_entries; i++)
                adopt_set(&ledger->entries[i].set, set);
        adopt_set(&reading->newest.set, set);
}

LedgerComparison ledger_compare(const Ledger *ledger, const SetInfo *set)
{
        const LedgerEntry *newest = newest_of(ledger);

        if (!newest)
                return LEDGER_IMPORT;
        if (strcmp(newest->set.fingerprint, set->fingerprint) == 0)
                return newest->state == LEDGER_STATE_IMPORTED ? LEDGER_CURRENT : LEDGER_IMPORT;
        if (set->not_before_usec < newest->set.not_before_usec)
                return LEDGER_SUPERSEDED;
        for (size_t i = 0; i < ledger->n_entries; i++)
                if (counts(&ledger->entries[i]) &&
                        strcmp(ledger->entries[i].set.fingerprint, set->fingerprint) == 0)
                        return LEDGER_SUPERSEDED;
        return LEDGER_IMPORT;
}

/* `schema`.`table`, so that a name may be a reserved word; daemon/config/config-key.h accepts no
 * name with a quote. */
static const char *quote_table(char buffer[static LEDGER_TABLE_MAX], const char *table)
{
        int schema = (int)strcspn(table, ".");

        snprintf(buffer, LEDGER_TABLE_MAX, "`%.*s`.`%s`", schema, table, table + schema + 1);
        return buffer;
}

static void on_lock(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        *(bool *)userdata = n_columns == 1 && values[0] && strcmp(values[0], "1") == 0;
}

SessionResult ledger_lock(
        bool *ret_locked, Session *session, unsigned wait_sec, SessionError *ret_error)
{
        char statement[64];

        *ret_locked = false;
        snprintf(statement, sizeof(statement), "SELECT GET_LOCK('" LEDGER_LOCK "', %u)", wait_sec);
        return session_query(session, statement, on_lock, ret_locked, ret_error);
}

/* A time before 1970 is as good as none: a record has no negative numbers. */
static uint64_t number(const char *text)
{
        long long value = text ? strtoll(text, NULL, 10) : 0;

        return value > 0 ? (uint64_t)value : 0;
}

static LedgerState state_of(const char *name)
{
        for (unsigned i = 0; name && i < _LEDGER_STATE_MAX; i++)
                if (strcmp(state_names[i], name) == 0)
                        return (LedgerState)i;
        return LEDGER_STATE_IMPORTING; /* unknown, so the result is too */
}

static const char *value_of(
        const char *name, unsigned n_columns, const char *const *names, const char *const *values)
{
        for (unsigned i = 0; i < n_columns; i++)
                if (strcasecmp(names[i], name) == 0)
                        return values[i];
        return NULL;
}

static bool has_column(const char *name, unsigned n_columns, const char *const *names)
{
        for (unsigned i = 0; i < n_columns; i++)
                if (strcasecmp(names[i], name) == 0)
                        return true;
        return false;
}

/* "FILE:POSITION", or "" while the stop is not completed. */
static void parse_stop(RecordStop *ret, const char *text)
{
        const char *separator = strrchr(text, ':');

        *ret = (RecordStop){.at_usec = clock_wall_usec()};
        if (!separator)
                return;
        ret->completed = true;
        text_copy(ret->log_file, sizeof(ret->log_file), text, (size_t)(separator - text));
        ret->log_position = number(separator + 1);
}

static void on_entry(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
#define VALUE(name) value_of(name, n_columns, names, values)
        const char *fingerprint = VALUE("fingerprint"), *stop = VALUE("replication_stopped");
        Ledger *ledger = userdata;
        LedgerEntry *entry;

        if (ledger->n_entries >= LEDGER_ROWS_MAX)
                return;
        ledger->has_stop = has_column("replication_stopped", n_columns, names);
        ledger->locked = number(VALUE("is_free")) == 0;
        if (stop && ledger->stop.at_usec == 0)
                parse_stop(&ledger->stop, stop);
        entry = &ledger->entries[ledger->n_entries++];
        *entry = (LedgerEntry){
                .id = number(VALUE("id")),
                .state = state_of(VALUE("state")),
                .set.not_before_usec = number(VALUE("not_before_usec")),
                .set.not_after_usec = number(VALUE("not_after_usec")),
                .imported_at_usec = number(VALUE("imported_at_usec")),
        };
        /* A value that is no fingerprint stays "", which equals no set. */
        if (fingerprint && report_is_fingerprint(fingerprint))
                text_set(entry->set.fingerprint, sizeof(entry->set.fingerprint), fingerprint);
        text_set(entry->daemon, sizeof(entry->daemon), VALUE("daemon"));
#undef VALUE
}

/* Microseconds since the epoch; UNIX_TIMESTAMP() would apply the session's time zone. */
#define SINCE_EPOCH(column) "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " column ")"

SessionResult ledger_read(Ledger *ret, LedgerReading *ret_reading, Session *session,
        const char *table, SessionError *ret_error)
{
        char statement[LEDGER_STATEMENT_MAX], quoted[LEDGER_TABLE_MAX];
        const LedgerEntry *newest;
        SessionResult result;

        *ret = (Ledger){0};
        snprintf(statement, sizeof(statement),
                "SELECT *, IS_FREE_LOCK('" LEDGER_LOCK
                "') AS is_free, " SINCE_EPOCH("not_before") " AS not_before_usec, " SINCE_EPOCH(
                        "not_after") " AS not_after_usec, " SINCE_EPOCH("imported_at") " AS imported_at_usec FROM %s ORDER BY id DESC LIMIT %d",
                quote_table(quoted, table), LEDGER_ROWS_MAX);
        result = session_query(session, statement, on_entry, ret, ret_error);
        newest = newest_of(ret);
        if (result == SESSION_OK)
                *ret_reading = (LedgerReading){
                        .known = true, .newest = newest ? *newest : (LedgerEntry){0}};
        return result;
}

SessionResult ledger_check_writable(Session *session, const char *table, SessionError *ret_error)
{
        char statement[LEDGER_STATEMENT_MAX], quoted[LEDGER_TABLE_MAX];

        quote_table(quoted, table);
        snprintf(statement, sizeof(statement),
                "INSERT INTO %s (" LEDGER_COLUMNS ") SELECT " LEDGER_COLUMNS
                " FROM %s AS old WHERE 1 = 0" LEDGER_TAKE_OVER,
                quoted, quoted);
        return session_query(session, statement, NULL, NULL, ret_error);
}

static void on_column(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values)
{
        LedgerColumns *columns = userdata;

        if (n_columns != 2 || !values[0] || !values[1])
                return;
        columns->known = true;
        if (strcasecmp(values[0], "replication_stopped") == 0)
                columns->has_stop = true;
        /* A column that is no ENUM takes every state. */
        else if (strcasecmp(values[0], "state") == 0)
                columns->has_removed = strncasecmp(values[1], "enum", 4) != 0 ||
                        strstr(values[1], "'removed'") != NULL;
}

SessionResult ledger_read_columns(
        LedgerColumns *ret, Session *session, const char *table, SessionError *ret_error)
{
        char statement[LEDGER_STATEMENT_MAX];
        int schema = (int)strcspn(table, ".");

        *ret = (LedgerColumns){0};
        snprintf(statement, sizeof(statement),
                "SELECT COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS "
                "WHERE TABLE_SCHEMA = '%.*s' AND TABLE_NAME = '%s'",
                schema, table, table + schema + 1);
        return session_query(session, statement, on_column, ret, ret_error);
}

/* Reads the name of this host; every character with a meaning in an SQL literal becomes '-'. */
static void read_host_name(char name[static LEDGER_DAEMON_MAX])
{
        if (gethostname(name, LEDGER_DAEMON_MAX) < 0)
                strcpy(name, "unknown");
        name[LEDGER_DAEMON_MAX - 1] = '\0';
        for (char *byte = name; *byte != '\0'; byte++)
                if (!isalnum((unsigned char)*byte) && !strchr("._-", *byte))
                        *byte = '-';
}

SessionResult ledger_begin(uint64_t *ret_id, Session *session, const char *table,
        const Ledger *ledger, const SetInfo *set, SessionError *ret_error)
{
        const LedgerEntry *last = ledger->n_entries > 0 ? &ledger->entries[0] : NULL;
        bool reuse = last && last->state != LEDGER_STATE_IMPORTED &&
                last->state != LEDGER_STATE_REMOVED &&
                strcmp(last->set.fingerprint, set->fingerprint) == 0;
        char statement[LEDGER_STATEMENT_MAX], id[24] = "NULL", name[LEDGER_DAEMON_MAX];
        char not_before[CLOCK_TEXT_SIZE], not_after[CLOCK_TEXT_SIZE], quoted[LEDGER_TABLE_MAX];
        SessionResult result;

        read_host_name(name);
        if (reuse)
                snprintf(id, sizeof(id), "%" PRIu64, last->id);
        /* %.19s: a DATETIME is the time without its Z. */
        snprintf(statement, sizeof(statement),
                "INSERT INTO %s (id, " LEDGER_COLUMNS ") VALUES (%s, '%s', '%.19s', '%.19s', '%s', "
                "CURRENT_USER(), UTC_TIMESTAMP(6), NULL, 'importing')" LEDGER_TAKE_OVER,
                quote_table(quoted, table), id, set->fingerprint,
                clock_format_time(not_before, set->not_before_usec),
                clock_format_time(not_after, set->not_after_usec), name);
        result = session_query(session, statement, NULL, NULL, ret_error);
        if (result == SESSION_OK)
                *ret_id = reuse ? last->id : session_insert_id(session);
        return result;
}

/* A name with another character is written as unknown coordinates: it would need quotes. */
static bool is_log_file(const char *text)
{
        for (const char *byte = text; *byte != '\0'; byte++)
                if (!isalnum((unsigned char)*byte) && !strchr("._-/", *byte))
                        return false;
        return text[0] != '\0';
}

SessionResult ledger_stop(Session *session, const char *table, const SetInfo *set,
        const ReplicationSource *source, bool completed, SessionError *ret_error)
{
        char statement[LEDGER_STATEMENT_MAX], quoted[LEDGER_TABLE_MAX];
        char coordinates[REPLICATION_LOG_FILE_MAX + 24] = "";

        if (completed && is_log_file(source->log_file))
                snprintf(coordinates, sizeof(coordinates), "%s:%" PRIu64, source->log_file,
                        source->log_position);
        snprintf(statement, sizeof(statement),
                "UPDATE %s SET replication_stopped = '%s' WHERE fingerprint IN ('%s', '%s') "
                "ORDER BY id DESC LIMIT 1",
                quote_table(quoted, table), coordinates, set->fingerprint, set->legacy_fingerprint);
        return session_query(session, statement, NULL, NULL, ret_error);
}

void ledger_format_start(char buffer[static LEDGER_STATEMENT_MAX], const char *table)
{
        char quoted[LEDGER_TABLE_MAX];

        snprintf(buffer, LEDGER_STATEMENT_MAX,
                "UPDATE %s SET replication_stopped = NULL WHERE replication_stopped IS NOT NULL",
                quote_table(quoted, table));
}

SessionResult ledger_finish(
        Session *session, const char *table, uint64_t id, bool imported, SessionError *ret_error)
{
        char statement[LEDGER_STATEMENT_MAX], quoted[LEDGER_TABLE_MAX];

        snprintf(statement, sizeof(statement),
                "UPDATE %s SET state = '%s', imported_at = %s WHERE id = %" PRIu64,
                quote_table(quoted, table),
                state_names[imported ? LEDGER_STATE_IMPORTED : LEDGER_STATE_FAILED],
                imported ? "UTC_TIMESTAMP(6)" : "NULL", id);
        return session_query(session, statement, NULL, NULL, ret_error);
}

SessionResult ledger_set_state(Session *session, const char *table, const LedgerEntry *entry,
        LedgerState state, SessionError *ret_error)
{
        char statement[LEDGER_STATEMENT_MAX], quoted[LEDGER_TABLE_MAX];

        snprintf(statement, sizeof(statement), "UPDATE %s SET state = '%s' WHERE id = %" PRIu64,
                quote_table(quoted, table), state_names[state], entry->id);
        return session_query(session, statement, NULL, NULL, ret_error);
}

SessionResult ledger_remove(Session *session, const char *table, SessionError *ret_error)
{
        char statement[LEDGER_STATEMENT_MAX], quoted[LEDGER_TABLE_MAX];

        snprintf(statement, sizeof(statement), "UPDATE %s SET state = '%s' WHERE state <> '%s'",
                quote_table(quoted, table), state_names[LEDGER_STATE_REMOVED],
                state_names[LEDGER_STATE_FAILED]);
        return session_query(session, statement, NULL, NULL, ret_error);
}
