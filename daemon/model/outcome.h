#pragma once

/*
 * Outcome: the result of one import attempt or check.
 *
 * A value without pointers, because the importer sends it to the manager as one datagram. An
 * expected failure, such as a refused password, is an outcome and not an errno.
 *
 * Texts of the server are clean (common/text.h) and otherwise unchanged; error numbers are those of
 * MySQL's server and client error references.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/redact.h"
#include "daemon/config/config.h"
#include "daemon/model/replication.h"
#include "daemon/model/report.h"

typedef enum OutcomeKind {
        OUTCOME_IMPORTED,
        OUTCOME_ALREADY_CURRENT, /* the newest row of the ledger is this set; or a check passed */
        OUTCOME_REMOVED,         /* the client material was removed, by a command */
        OUTCOME_SUPERSEDED,      /* the ledger names a newer set, of another daemon */
        OUTCOME_REFUSED_LOG,     /* the server would log the key, or does not report its logs */
        OUTCOME_NOT_WRITER,      /* a reader, or its role is unknown: failover, stale DNS */
        OUTCOME_UNREACHABLE,     /* name, network, or too many connections */
        OUTCOME_TLS,             /* no TLS, or the peer could not be verified */
        OUTCOME_AUTH,            /* no password is available, or the login was refused */
        OUTCOME_NO_PROCEDURE,    /* 1305 */
        OUTCOME_NO_PRIVILEGE,    /* 1370; or the ledger's table cannot be used */
        OUTCOME_REJECTED,        /* any other error that the server returned */
        OUTCOME_TIMED_OUT,       /* before the CALL, or killed at the deadline */
        OUTCOME_UNKNOWN, /* the connection broke after the CALL was sent, or a stop killed it */
        OUTCOME_REPLICATION_FAILED, /* could not be stopped before, or does not run after */
        OUTCOME_RECORD_FAILED,      /* a stop or a roll back could not be recorded, nor begun */
        OUTCOME_SOURCE_REFUSED,     /* the replication source refuses the set: not imported */
        OUTCOME_SOURCE_UNREACHABLE, /* source-probe = require, and the source did not answer */
        OUTCOME_ROLLED_BACK, /* replication failed with the set; the one before was imported again */
        OUTCOME_CRASHED,     /* the importer ended without a result */
        _OUTCOME_KIND_MAX,
} OutcomeKind;

#define OUTCOME_TEXT_MAX      384
#define OUTCOME_NEXT_STEP_MAX 640

typedef enum LedgerState {
        LEDGER_STATE_IMPORTING, /* in progress, or interrupted: the result is unknown */
        LEDGER_STATE_IMPORTED,
        LEDGER_STATE_FAILED,  /* the server refused the set */
        LEDGER_STATE_REMOVED, /* the material was removed from the cluster later */
        _LEDGER_STATE_MAX,
} LedgerState;

#define LEDGER_DAEMON_MAX 65 /* a host name (gethostname(2)), with NUL */

/* A row of the ledger on the cluster (daemon/mysql/ledger.h). Times are wall clock. */
typedef struct LedgerEntry {
        uint64_t id;
        LedgerState state;
        SetInfo set;
        uint64_t imported_at_usec;
        char daemon[LEDGER_DAEMON_MAX]; /* the host of the daemon that wrote the row */
} LedgerEntry;

/* Replication was stopped for an import and is not known to run again. A value without pointers: an
 * importer sends it before the stop, and again when the threads are stopped. */
typedef struct RecordStop {
        uint64_t at_usec;                         /* 0: it was not stopped */
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* the set of the import */
        ReplicationMode mode;
        bool running;                            /* both threads ran before */
        char log_file[REPLICATION_LOG_FILE_MAX]; /* of the source, executed up to */
        uint64_t log_position;                   /* this position; "" and 0: not reported */
        bool completed; /* both threads were seen stopped, at these coordinates */
} RecordStop;

typedef struct LedgerReading {
        bool known; /* the ledger was read; otherwise the rest has no meaning */
        LedgerEntry newest;
        RecordStop stop; /* of a daemon that has left it, seen by a check; at_usec 0: none */
} LedgerReading;

/* What an attempt changed on the cluster. */
typedef struct ImportEffect {
        bool committed; /* the server acknowledged the CALL */
        bool in_doubt;  /* the CALL may have been executed; its result is unknown */
        bool stop_over; /* the recorded stop did not happen, or somebody has started replication */
        bool replication_started;   /* the start procedure succeeded */
        bool replication_restarted; /* replication was restarted after the import and runs again */
        bool restart_due;  /* the set is imported, and replication has not been restarted since */
        Newlines newlines; /* the form that the server accepted; NEWLINES_AUTO: none */
        bool newlines_learned; /* payload-newlines is auto, and the record has another form */
} ImportEffect;

#define SERVER_UUID_MAX 40 /* bytes, with NUL */

/* Facts of the server at the other end of a session; "" is unknown. */
typedef struct ServerInfo {
        char address[64];           /* numeric */
        char uuid[SERVER_UUID_MAX]; /* server_uuid of a writer; MariaDB has none */
        char version[64];
        char tls_version[16];
        char tls_cipher[64];
} ServerInfo;

typedef struct Outcome {
        OutcomeKind kind;
        unsigned sql_errno;                    /* 0: no error of the server or the client library */
        char text[OUTCOME_TEXT_MAX];           /* the cause, one sentence; "" for a success */
        char next_step[OUTCOME_NEXT_STEP_MAX]; /* the exact one; "": see outcome_next_step() */
        char warning[OUTCOME_TEXT_MAX];        /* the import continued in spite of this */
        ImportEffect effect;
        ServerInfo server;
        Replication replication;
        LedgerReading ledger;
        uint64_t duration_usec;
} Outcome;

/* Return true if a received value is one: each text, enumerator and boolean; an error number has
 * the 16 bits of the protocol, and what is recorded the 63 that a record can have. Pure. */
bool outcome_is_valid(const Outcome *outcome);
bool record_stop_is_valid(const RecordStop *stop);
bool ledger_reading_is_valid(const LedgerReading *reading);
bool server_info_is_valid(const ServerInfo *server);

/* What is kept of an outcome. Its texts are on the heap, because most outcomes have none; they are
 * missing without memory as well, while kind and number never are. */
typedef struct KeptOutcome {
        bool known; /* false: the rest has no meaning */
        OutcomeKind kind;
        unsigned sql_errno;
        char *text, *next_step; /* see text_keep() */
} KeptOutcome;

#define KEPT_OUTCOME_NULL ((KeptOutcome){0})
void kept_outcome_set(KeptOutcome *kept, const Outcome *outcome);
void kept_outcome_done(KeptOutcome *kept);

bool kept_outcome_failed(const KeptOutcome *kept);

/* All three return "" for one that is not known. The reason is the text, or else the kind; the next
 * step is that of outcome_next_step(). */
const char *kept_outcome_to_string(const KeptOutcome *kept);
const char *kept_outcome_reason(const KeptOutcome *kept);
const char *kept_outcome_next_step(const KeptOutcome *kept);

/* Adds a sentence to the warnings. */
void outcome_add_warning(Outcome *outcome, const char *text);

/* Covers every text of the server that may repeat a secret. */
void outcome_redact(Outcome *outcome, const Redactor *redactor);

const char *outcome_kind_to_string(OutcomeKind kind); /* named in doc/design.md, "Outcomes" */
int outcome_kind_from_string(OutcomeKind *ret, const char *name);
bool outcome_is_success(OutcomeKind kind);

/* Returns true for errors that are retried with back-off from retry-min to retry-max. All others
 * are held for an operator and, if outcome_is_retried(), retried every retry-held. A rejection is
 * transient if the server's number concerns the moment: a lock, a deadlock, a time limit; auth is
 * without a number, when no password could be read. */
bool outcome_is_transient(OutcomeKind kind, unsigned sql_errno);

/* Returns false for an outcome that time does not change: only a new set or a command of an
 * operator leads to another attempt. */
bool outcome_is_retried(OutcomeKind kind);

/* Returns what a person can do: `exact` unless it is "", else a general sentence without names, or
 * "". */
const char *outcome_next_step(OutcomeKind kind, const char *exact);

/* A static sentence for a failure that is retried and has no next step. */
const char *outcome_retry_note(OutcomeKind kind);
