#pragma once

/*
 * Outcome: what one import attempt came to, as a value without pointers, because it travels from
 * the importer to the manager as one datagram. Bad news is normal news here: a refused password
 * is an outcome, not an errno.
 *
 * Numbers and texts of the server are kept as they came (common/text.h made them fit to show);
 * the errors are those of MySQL's server and client error references.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/redact.h"
#include "daemon/config/config.h"
#include "daemon/model/replication.h"
#include "daemon/model/report.h"

typedef enum OutcomeKind {
        OUTCOME_IMPORTED,
        OUTCOME_ALREADY_CURRENT,    /* the ledger on the cluster says so */
        OUTCOME_SUPERSEDED,         /* the ledger names a newer set, of another daemon */
        OUTCOME_REFUSED_LOG,        /* the server would have kept the key, or does not say */
        OUTCOME_NOT_WRITER,         /* a reader, or one that does not say: failover, stale DNS */
        OUTCOME_UNREACHABLE,        /* name, network, or too many connections */
        OUTCOME_TLS,                /* no TLS, or a peer that could not be verified */
        OUTCOME_AUTH,               /* no password to send, or refused */
        OUTCOME_NO_PROCEDURE,       /* 1305 */
        OUTCOME_NO_PRIVILEGE,       /* 1370 */
        OUTCOME_REJECTED,           /* any other answer of the server to the CALL */
        OUTCOME_TIMED_OUT,          /* before the CALL, or killed at the deadline */
        OUTCOME_UNKNOWN,            /* the connection broke after the CALL was sent */
        OUTCOME_REPLICATION_FAILED, /* imported, but replication did not come back */
        OUTCOME_CRASHED,            /* the importer died without a word */
        _OUTCOME_KIND_MAX,
} OutcomeKind;

#define OUTCOME_TEXT_MAX      384
#define OUTCOME_NEXT_STEP_MAX 640

typedef enum LedgerState {
        LEDGER_STATE_IMPORTING, /* nobody knows what it came to */
        LEDGER_STATE_IMPORTED,
        LEDGER_STATE_FAILED, /* the server refused it */
        _LEDGER_STATE_MAX,
} LedgerState;

#define LEDGER_DAEMON_MAX 65 /* a host name (gethostname(2)), with NUL */

/* A row of the ledger on the cluster (daemon/mysql/ledger.h). Times are wall clock. */
typedef struct LedgerEntry {
        uint64_t id;
        LedgerState state;
        SetInfo set;
        uint64_t imported_at_usec;
        char daemon[LEDGER_DAEMON_MAX]; /* the host of the daemon that wrote it */
} LedgerEntry;

typedef struct LedgerReading {
        bool known; /* the ledger was read; otherwise `newest` has no meaning */
        LedgerEntry newest;
} LedgerReading;

typedef struct SqlError {
        unsigned number; /* 0: no error of the server or the client library */
        char state[6];
} SqlError;

/* What an attempt changed on the cluster. */
typedef struct ImportEffect {
        bool committed;             /* the server acknowledged the CALL */
        bool in_doubt;              /* the CALL may have been executed; its result is unknown */
        bool replication_restarted; /* replication was restarted after the import and runs again */
        Newlines newlines;          /* the form that the server accepted; NEWLINES_AUTO: none was */
        bool newlines_learned;      /* payload-newlines is auto, and the record has another form */
} ImportEffect;

/* What a session shows of its server; "" is unknown. */
typedef struct ServerInfo {
        char address[64]; /* numeric */
        char version[64];
        char tls_version[16];
        char tls_cipher[64];
} ServerInfo;

typedef struct Outcome {
        OutcomeKind kind;
        SqlError sql_error;
        char text[OUTCOME_TEXT_MAX]; /* what happened, one sentence; "" for a success */
        char next_step
                [OUTCOME_NEXT_STEP_MAX]; /* the exact one; "": outcome_next_step() has a general
                                                  one */
        char warning[OUTCOME_TEXT_MAX];  /* a log keeps the key and the configuration allows it */
        ImportEffect effect;
        ServerInfo server;
        Replication replication;
        LedgerReading ledger;
        uint64_t duration_usec;
} Outcome;

/* Covers what the server has repeated of a secret. */
void outcome_redact(Outcome *outcome, const Redactor *redactor);

const char *outcome_kind_to_string(OutcomeKind kind); /* as design 8 spells it */
int outcome_kind_from_string(OutcomeKind *ret, const char *name);
bool outcome_is_success(OutcomeKind kind);

/* A passing fault mends itself: it is retried with back-off from retry-min to retry-max. All other
 * failures are held for an operator and tried again every retry-held. A rejection passes when the
 * server's number says that it was about the moment: a lock, a deadlock, a time limit. */
bool outcome_is_transient(OutcomeKind kind, unsigned sql_errno);

/* What a person can do: `exact` if it is not "", else a general sentence without names, else "". */
const char *outcome_next_step(OutcomeKind kind, const char *exact);

/* A static sentence for a failure that is retried and for which there is no next step. */
const char *outcome_retry_note(OutcomeKind kind);
