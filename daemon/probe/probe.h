#pragma once

/*
 * Probe: the facts of one cluster that decide whether an import would succeed, and their
 * evaluation.
 *
 * A value without pointers, because the prober (daemon/probe/prober.h) sends it as one datagram.
 * The evaluation is pure. A finding is an outcome that an import would have, with the next step:
 * the whole statement where there is one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/redact.h"
#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/model/report.h"
#include "daemon/model/rule.h"
#include "daemon/mysql/ledger.h"
#include "daemon/mysql/preflight.h"
#include "daemon/mysql/sql-error.h"
#include "daemon/tls/server-certificate.h"

#define PROBE_FINDINGS_MAX       13
#define PROBE_PROCEDURE_NAME_MAX 64

/* The procedures that the program may call, all of the schema mysql. */
typedef enum ProbeProcedure {
        PROBE_IMPORT,
        PROBE_STOP,
        PROBE_START,
        PROBE_REMOVE, /* only by a command, so that a missing one is no finding */
        _PROBE_PROCEDURE_MAX,
} ProbeProcedure;

typedef struct ProbeFinding {
        OutcomeKind outcome;
        Severity severity; /* an error: an import would fail */
        unsigned sql_errno;
        char text[OUTCOME_TEXT_MAX];
        char next_step[OUTCOME_NEXT_STEP_MAX]; /* "": none */
} ProbeFinding;

/* What the replication source answered to the set on disk. */
typedef enum ProbeSource {
        PROBE_SOURCE_NOT_ASKED,  /* source-probe = off, or the cluster's session ended before */
        PROBE_SOURCE_NO_SET,     /* a finding says why */
        PROBE_SOURCE_ACCEPTS,    /* a login */
        PROBE_SOURCE_INCOMPLETE, /* an import would continue with the warning in the finding */
        PROBE_SOURCE_FAILS,      /* an import would fail with the finding */
        _PROBE_SOURCE_MAX,
} ProbeSource;

typedef struct Probe {
        ServerInfo server;    /* without a login only the address, if the host has one */
        bool logged_in;       /* false: no fact of the login's session is known */
        bool preflight_known; /* false: no fact below is known, except those of the certificate */
        Preflight preflight;
        bool procedures_known;                  /* account and `visible` are known */
        char account[SQL_GRANT_ACCOUNT_MAX];    /* CURRENT_USER(): "user@host" */
        bool visible[_PROBE_PROCEDURE_MAX];     /* to this account */
        char missing[PROBE_PROCEDURE_NAME_MAX]; /* what sets the source and is not visible; "" */
        Replication replication;
        SessionError replication_error; /* of reading the status; number 0: none */
        LedgerReading ledger;
        LedgerColumns ledger_columns;
        SessionError ledger_error; /* of reading the table, or of checking writes */
        uint64_t call_bytes;       /* of the packet with the set on disk; 0: there is no set */
        ProbeSource source;
        char set_fingerprint[REPORT_FINGERPRINT_MAX]; /* that the source was asked about; "" */
        ServerCertificate server_certificate;         /* that the login was shown */
        Newlines newlines; /* the payload's form: configured, from the record, or AUTO: unknown */
        uint64_t duration_usec;
        ProbeFinding findings[PROBE_FINDINGS_MAX];
        unsigned n_findings;
} Probe;

const char *probe_procedure_name(ProbeProcedure procedure);

/* Returns true if a received value is one: each text, enumerator and boolean, and the number of
 * findings. Pure. */
bool probe_is_valid(const Probe *probe);

/* Adds the error that ended the probe, or prevented the login. */
void probe_add_outcome(Probe *probe, const Outcome *outcome);

/* Adds what the source answered to the set, as the outcome of an import that has it. */
void probe_add_source(Probe *probe, const Outcome *outcome, const char *fingerprint);

/* There is no set on disk with which the source can be asked. */
void probe_add_no_set(Probe *probe, const char *reason);

const char *probe_source_to_string(ProbeSource source);

/* Adds a finding for every known fact that would make an import fail, or deserves a warning. */
void probe_evaluate(Probe *probe, const ClusterConfig *cluster);

/* A server certificate that expires within this time, or in the last third of its validity if that
 * is shorter, gets a warning. */
#define PROBE_EXPIRY_USEC (30 * USEC_PER_DAY)

/* Adds a finding if the certificate is verified and expires soon. */
void probe_evaluate_certificate(Probe *probe, uint64_t now_usec);

/* Covers every text of the server that may repeat a secret. */
void probe_redact(Probe *probe, const Redactor *redactor);

/* Returns true if no finding is an error. */
bool probe_is_good(const Probe *probe);

/* Returns "works" or "fails", or "disabled" for a cluster that is not enabled. */
const char *probe_result_word(const ClusterConfig *cluster, const Probe *probe);
