#pragma once

/*
 * Replication: the state of a replica as SHOW REPLICA STATUS reports it (doc/aurora.md, "Replica
 * status"), and its meaning. Texts of the server are clean (common/text.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/json-writer.h"
#include "common/redact.h"

typedef enum Tristate {
        TRISTATE_UNKNOWN,
        TRISTATE_NO,
        TRISTATE_YES,
} Tristate;

#define REPLICATION_TEXT_MAX     384
#define REPLICATION_LOG_FILE_MAX 256

typedef struct Replication {
        bool known;          /* the status was read; otherwise the rest has no meaning */
        bool configured;     /* the status has a row */
        char io_running[32]; /* "Yes", "No", "Connecting", ...; "" when the column was absent */
        char sql_running[32];
        Tristate tls;
        unsigned io_errno;
        char io_error[REPLICATION_TEXT_MAX];
        unsigned sql_errno;
        char sql_error[REPLICATION_TEXT_MAX];
        char log_file[REPLICATION_LOG_FILE_MAX]; /* of the source, executed up to */
        uint64_t log_position;                   /* this position */
        bool stopped_by_us;       /* this program has stopped it and not started it again */
        uint64_t checked_at_usec; /* wall clock */
} Replication;

/* Returns true if both threads run. */
bool replication_is_running(const Replication *replication);

/* Returns true if the I/O thread has an error and does not run. */
bool replication_is_broken(const Replication *replication);

/* Returns true unless both threads are stopped; a thread that tries to connect is active. */
bool replication_is_active(const Replication *replication);

/* Returns true if both have the same answer, regardless of when it was given. */
bool replication_equal(const Replication *a, const Replication *b);

/* Makes it that of a replica which this program has stopped at this time (wall clock). Nothing else
 * is known: what was read before is no longer true. */
void replication_set_stopped(Replication *ret, uint64_t at_usec);

/* Replaces it by a reading, if that is known and `is_wanted` or the replica is still stopped by
 * this program. */
void replication_update(
        Replication *replication, const Replication *reading, bool is_stopped, bool is_wanted);

/* Covers every text of the server that may repeat a secret. */
void replication_redact(Replication *replication, const Redactor *redactor);

/* Writes the member "replication", null if the status was not read. `in_status`: with checked_at,
 * and io_errno 0 is null; otherwise io_errno is null only if replication is not configured. */
void replication_write(JsonWriter *writer, const Replication *replication, bool in_status);
