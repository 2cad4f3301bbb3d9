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
        _TRISTATE_MAX,
} Tristate;

/* What forbids this program to start a replica that it has not stopped; the greatest of several
 * channels. */
typedef enum ReplicationHalt {
        REPLICATION_HALT_NONE,    /* each thread runs, tries to, or is an I/O thread that failed */
        REPLICATION_HALT_UNKNOWN, /* the server does not report the state of both threads */
        REPLICATION_HALT_ERROR,   /* the SQL thread has stopped at an event */
        REPLICATION_HALT_PERSON,  /* a thread is stopped without an error of its own */
        _REPLICATION_HALT_MAX,
} ReplicationHalt;

#define REPLICATION_TEXT_MAX     384
#define REPLICATION_LOG_FILE_MAX 256
#define REPLICATION_HOST_MAX     256
#define REPLICATION_USER_MAX     100 /* bytes of 32 characters, more on MariaDB, with NUL */
#define REPLICATION_SOURCE_MAX   (REPLICATION_HOST_MAX + sizeof("[]:4294967295"))

/* One channel, or of several the worst. */
typedef struct Replication {
        bool known;          /* the status was read; otherwise the rest has no meaning */
        bool configured;     /* the status has a row */
        unsigned n_channels; /* rows of the status */
        char io_running[32]; /* "Yes", "No", "Connecting", ...; "" when the column was absent */
        char sql_running[32];
        ReplicationHalt halt;
        Tristate tls;
        unsigned io_errno;
        char io_error[REPLICATION_TEXT_MAX];
        char io_error_time[32]; /* of io_error, as the server reports it; "": not reported */
        bool io_repeated; /* a further connect ended as replication_may_be_denied() describes */
        unsigned sql_errno;
        char sql_error[REPLICATION_TEXT_MAX];
        bool lag_known;
        bool lag_null; /* the server reports that it does not know the lag, as while it connects */
        uint64_t lag_sec;
        char source_host[REPLICATION_HOST_MAX]; /* "": not reported */
        unsigned source_port;
        bool stopped_by_us;       /* this program has stopped it and not started it again */
        uint64_t checked_at_usec; /* wall clock */
} Replication;

/* Returns true if a received value is one: each text, enumerator and boolean. Pure. */
bool replication_is_valid(const Replication *replication);

/* How that channel asks its source: for an import alone, not remembered and not shown. */
typedef struct ReplicationSource {
        char user[REPLICATION_USER_MAX];
        Tristate auto_position; /* the source is asked by GTIDs instead of file and position */
        char log_file[REPLICATION_LOG_FILE_MAX]; /* of the source, executed up to */
        uint64_t log_position;                   /* this position */
} ReplicationSource;

/* A replica that fails connects again by itself, by default every 60 s (MASTER_CONNECT_RETRY): an
 * error that is read within this time after an import may be that of the set before. */
#define REPLICATION_RECONNECT_USEC (120 * UINT64_C(1000000))

/* Adds the row of one channel. The worst channel counts: one that fails before one that is stopped,
 * one that connects and one that runs; then one without TLS, and one whose lag is not known.
 * Returns true if that is now this one. */
bool replication_add_channel(Replication *replication, const Replication *row);

/* Returns true if both threads run. */
bool replication_is_running(const Replication *replication);

/* Returns true if a thread has an error and does not run. */
bool replication_is_broken(const Replication *replication);

/* Returns true if the I/O thread does not run and has an error that a further attempt to connect
 * does not end: TLS, a refused login, or missing events. replication_may_be_denied() is another
 * state. */
bool replication_is_refused(const Replication *replication);

/* Returns true if the error of the I/O thread is that the source no longer has the events. */
bool replication_lacks_events(const Replication *replication);

/* Returns true if the I/O thread tries to connect to the source, and the connection ends in the TLS
 * handshake or in the login without a reason. So does a source that refuses the client certificate
 * with TLS 1.3, where the client learns of it only after the handshake (RFC 8446, section 4.4.2.4),
 * and a network that breaks: a further connect decides. */
bool replication_may_be_denied(const Replication *replication);

/* Marks `replication` if its connect and that of `before`, an earlier reading, both may have been
 * denied. A server that reports the times of its errors must have tried in between. */
void replication_compare_errors(Replication *replication, const Replication *before);

/* Returns true if the I/O thread tries to connect to the source and fails because of TLS. */
bool replication_fails_with_tls(const Replication *replication);

/* The same, or because the source refuses the account: then certificate and account do not fit. */
bool replication_is_denied(const Replication *replication);

/* Returns true unless both threads are stopped; a thread that tries to connect is active. */
bool replication_is_active(const Replication *replication);

/* Returns true if both have the same answer, regardless of when it was given and of how large the
 * lag is. */
bool replication_equal(const Replication *a, const Replication *b);

/* Makes it that of a replica which this program has stopped at this time (wall clock). Nothing else
 * is known: what was read before is no longer true. */
void replication_set_stopped(Replication *ret, uint64_t at_usec);

/* Replaces it by a reading, if that is known and `is_wanted` or the replica is still stopped by
 * this program. */
void replication_update(
        Replication *replication, const Replication *reading, bool is_stopped, bool is_wanted);

/* "host:port" of the source, "" if it is not reported; an IPv6 address has brackets. */
void replication_format_source(
        char buffer[static REPLICATION_SOURCE_MAX], const Replication *replication);

/* The reverse. A text that is none leaves the source unknown. */
void replication_parse_source(Replication *replication, const char *text);

/* Covers every text of the server that may repeat a secret. */
void replication_redact(Replication *replication, const Redactor *redactor);

/* Writes the member "replication", null if the status was not read. `in_status`: with lag,
 * source, stopped_by_us and checked_at, and an errno 0 is null; otherwise an errno is null only if
 * replication is not configured. */
void replication_write(JsonWriter *writer, const Replication *replication, bool in_status);
