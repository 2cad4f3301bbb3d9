#pragma once

/*
 * Replication: the state of a replica as SHOW REPLICA STATUS reports it, and what it means. Texts of
 * the server are clean (common/text.h).
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

#define REPLICATION_TEXT_MAX 384

typedef struct Replication {
        bool known;          /* the status was read; otherwise nothing below has a meaning */
        bool configured;     /* it had a row */
        char io_running[32]; /* "Yes", "No", "Connecting", ...; "" when the column was absent */
        char sql_running[32];
        Tristate tls;
        unsigned io_errno;
        char io_error[REPLICATION_TEXT_MAX];
        unsigned sql_errno;
        char sql_error[REPLICATION_TEXT_MAX];
        uint64_t checked_at_usec; /* wall clock */
} Replication;

/* Returns true if both threads run. */
bool replication_is_running(const Replication *replication);

/* Returns true if the I/O thread should run and cannot connect. */
bool replication_is_broken(const Replication *replication);

/* Returns true if at least one thread is active, even if it only tries to connect. */
bool replication_is_active(const Replication *replication);

/* Covers what the server has repeated of a secret. */
void replication_redact(Replication *replication, const Redactor *redactor);

/* Writes the members that every JSON form of it has into the open object. io_errno is null unless it
 * is known. */
void replication_write(const Replication *replication, bool errno_known, JsonWriter *writer);
