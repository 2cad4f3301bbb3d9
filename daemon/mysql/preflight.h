#pragma once

/*
 * Preflight: the one look at the server before the key leaves (design 8): writer or reader, and
 * what it admits to keep of the statements that it gets. One round trip, and one more for each of
 * the two logs that is on and that a session may be able to leave:
 *
 * - the general log, by sql_log_off. That needs a privilege as a rule (1227 without).
 * - the slow log, by long_query_time and min_examined_row_limit, which need none. A statement that
 *   examined fewer rows than the limit is not logged, not even under log_queries_not_using_indexes
 *   (MySQL's manual, "The Slow Query Log": the order of the conditions). What the server has for
 *   these three is therefore not asked.
 *
 * MariaDB 10.11 writes the key also into what it logs of the statements within the procedure; what
 * a session leaves, and whom an audit excludes, is left and excluded there as well.
 *
 * What is in doubt counts as kept. A variable that a server does not have is simply not in its
 * answer; but each has the role and the two logs, and without them the answer says nothing.
 *
 * Not to be seen from a session: database activity streams, the audit of a proxy in between, the
 * process list while the CALL runs, and a procedure that writes its own statements to the binary
 * log (those of RDS do not: notes/aurora.md, 4).
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/mysql/session.h"

#define PREFLIGHT_TEXT_MAX   340 /* with the words before it no more than OUTCOME_TEXT_MAX */
#define PREFLIGHT_EVENTS_MAX 72

/* What CA and certificate take at least before the key begins, where they are not at hand to be
 * measured; also the server's default for what it keeps of a statement. The shortest that openssl
 * makes are 969 bytes of PEM each with RSA keys, and 432 with EC keys and no extension at all;
 * with those that a CA and a client have, two EC ones come to more than 1100. */
#define PREFLIGHT_CERTIFICATES_MIN 1024

/* performance_schema is on, and the answer lacks performance_schema_max_sql_text_length. */
#define PREFLIGHT_TEXT_BYTES_UNKNOWN                                            \
        "performance_schema = ON, and how much it keeps of a statement is not " \
        "in the server's answer"

/* What the server answered. */
typedef struct PreflightVariables {
        bool says_role, reader;
        bool says_general, general_log;
        bool says_slow, slow_log;
        bool writes_nowhere;            /* log_output, of both logs */
        bool audit, audit_spares_calls; /* server_audit_logging, server_audit_events */
        char audit_events[PREFLIGHT_EVENTS_MAX];
        bool includes_some, includes_user; /* server_audit_incl_users */
        bool excludes_some, excludes_user; /* server_audit_excl_users */
        bool keeps_text;                   /* performance_schema */
        bool says_text_bytes;
        uint64_t text_bytes;
        bool left_general, left_slow; /* by this session, for itself */
} PreflightVariables;

typedef struct Preflight {
        bool says_role; /* `reader` is known */
        bool reader;
        char keeps_call[PREFLIGHT_TEXT_MAX]; /* each setting that would keep the CALL; "": none */
        bool keeps_unsaid;                   /* of which it is only not known whether it would */
        uint64_t text_bytes; /* performance_schema keeps so much of a statement's beginning */
} Preflight;

/* Takes one row of the answer; `user` is who will CALL. */
void preflight_parse_variable(
        PreflightVariables *variables, const char *user, const char *name, const char *value);

void preflight_evaluate(Preflight *ret, const PreflightVariables *variables);

/* Looks, leaves the logs that the session may leave, and judges what remains. */
SessionResult preflight_run(
        Preflight *ret, Session *session, const char *user, SessionError *ret_error);

/* Whether the server would keep something of a key that begins `key_offset` bytes into the
 * statement; then `buffer` is a sentence that names every setting. */
bool preflight_would_log_key(
        char *buffer, size_t size, const Preflight *preflight, uint64_t key_offset);

/* Why nothing is sent to this server whatever its logs: a sentence, or NULL. */
const char *preflight_not_writer_reason(const Preflight *preflight);
