#pragma once

/*
 * Preflight: checks before the key is sent whether the server is a writer and whether a log of the
 * server would keep the CALL (doc/design.md, "Query logs"). One round trip, and one more for each
 * of two logs that is on, to turn it off for the session:
 *
 * - the general log, by sql_log_off, which needs SUPER, or on MySQL both SESSION_VARIABLES_ADMIN
 * and CONNECTION_ADMIN: the first alone can set it, without effect (one more round trip finds out);
 * - the slow log, by long_query_time, which needs none. Where log_queries_not_using_indexes is on,
 * a procedure that reads a table without an index would be logged nevertheless, with the text of
 * the CALL; there min_examined_row_limit is set instead: a statement that examined fewer rows is
 * not logged for any reason. It needs no privilege on MariaDB, and SESSION_VARIABLES_ADMIN on
 * MySQL. The server's own values of the two are not read (doc/aurora.md, "Leaks": measured on
 * both).
 *
 * MariaDB 10.11 writes the key also into the logs of the statements inside the procedure; a log
 * that the session turns off, and an audit that excludes the user, keep those neither.
 *
 * It also reads how large a packet may be, because the server ends the connection after a larger
 * one, and replication may be stopped by then.
 *
 * The same round trip first sets what the statements of the session, and the transactions within
 * the procedure, depend on, whatever the server's defaults and init_connect say: no open
 * transaction, autocommit, writable transactions, a strict SQL mode, UTC, and updates without a
 * key. None of it needs a privilege.
 *
 * An unknown setting counts as one that keeps the CALL. A variable that a server lacks is missing
 * in its answer; every server has the role and the two logs, so without them the answer is
 * incomplete.
 *
 * A session cannot see database activity streams, the audit of a proxy, the process list during the
 * CALL, or a procedure that writes its own statements to the binary log, which those of RDS do not
 * (doc/aurora.md, "Leaks").
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/mysql/session.h"

#define PREFLIGHT_TEXT_MAX   340 /* with the words before it no more than OUTCOME_TEXT_MAX */
#define PREFLIGHT_EVENTS_MAX 72

/* Bytes of CA and certificate before the key, at least, where no set is available to measure; also
 * the server's default of performance_schema_max_sql_text_length. The shortest that openssl makes
 * are 969 bytes of PEM each with RSA keys, and 432 with EC keys and no extension at all; with the
 * extensions of a CA and a client, two EC ones have more than 1100. */
#define PREFLIGHT_CERTIFICATES_MIN 1024

/* performance_schema is on, and the answer lacks performance_schema_max_sql_text_length. */
#define PREFLIGHT_TEXT_BYTES_UNKNOWN                                            \
        "performance_schema = ON, and how much it keeps of a statement is not " \
        "in the server's answer"

/* The server's answer. */
typedef struct PreflightVariables {
        const char *user; /* of the CALL; set before the first row is parsed */
        bool role_known, reader;
        bool general_log_known, general_log;
        bool slow_log_known, slow_log;
        bool without_index_off;          /* log_queries_not_using_indexes; unknown is on */
        bool log_output_none;            /* log_output, of both logs */
        bool audit, audit_without_calls; /* server_audit_logging, server_audit_events */
        char audit_events[PREFLIGHT_EVENTS_MAX];
        bool includes_any, includes_user; /* server_audit_incl_users */
        bool excludes_any, excludes_user; /* server_audit_excl_users */
        bool keeps_text;                  /* performance_schema */
        bool text_bytes_known;
        uint64_t text_bytes;
        bool general_log_disabled, slow_log_disabled;           /* for this session */
        bool general_privilege_missing, slow_privilege_missing; /* to disable them */
        char server_uuid[SERVER_UUID_MAX];                      /* "": MariaDB has none */
        uint64_t max_allowed_packet, net_buffer_length;         /* 0: not reported */
} PreflightVariables;

typedef struct Preflight {
        bool role_known; /* `reader` is known */
        bool reader;
        char server_uuid[SERVER_UUID_MAX];   /* of a writer; "": not reported */
        char keeps_call[PREFLIGHT_TEXT_MAX]; /* each setting that would keep the CALL; "": none */
        bool keeps_unknown;  /* keeps_call lists only settings that the server did not report */
        uint64_t text_bytes; /* of a statement's beginning that performance_schema keeps */
        /* A packet of so many bytes is refused with error 1153: the greater of max_allowed_packet
         * and net_buffer_length (measured on both makes); 0: unknown. */
        uint64_t packet_limit;
        /* The session could turn off this log, which is in keeps_call, with a privilege. */
        bool general_privilege_missing, slow_privilege_missing;
} Preflight;

/* Returns true if a received value is one: each text and boolean. Pure. */
bool preflight_is_valid(const Preflight *preflight);

/* Parses one row of the answer. */
void preflight_parse_variable(PreflightVariables *variables, const char *name, const char *value);

void preflight_evaluate(Preflight *ret, const PreflightVariables *variables);

/* Returns the statement that keeps this session's statements out of a slow log that is on. The
 * values are the greatest that every server accepts: a year, and 32 bits of rows. */
const char *preflight_slow_log_statement(const PreflightVariables *variables);

/* Sets the session's state, reads the variables, turns the logs off for the session, and
 * evaluates the result. */
SessionResult preflight_run(
        Preflight *ret, Session *session, const char *user, SessionError *ret_error);

/* Reads role and server_uuid alone, for a check. */
SessionResult preflight_identify(Preflight *ret, Session *session, SessionError *ret_error);

/* Returns true if the server would keep a part of a key that begins `key_offset` bytes into the
 * statement; `buffer` is then a sentence that names every setting. */
bool preflight_would_log_key(
        char *buffer, size_t size, const Preflight *preflight, uint64_t key_offset);

/* The same for the password of the replication user, which can be anywhere in its statement. */
bool preflight_would_log_password(char *buffer, size_t size, const Preflight *preflight);

/* Returns true if the server would refuse a packet of so many bytes; `buffer` is then a sentence
 * with both sizes. */
bool preflight_would_refuse_packet(
        char *buffer, size_t size, const Preflight *preflight, uint64_t bytes);

/* Returns a sentence if the server must not get the key whatever its logs are, else NULL. */
const char *preflight_not_writer_reason(const Preflight *preflight);
