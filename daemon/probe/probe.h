#pragma once

/*
 * Probe: what an import into one cluster would meet, as a value without pointers, because it
 * travels from the process that asked to the one that prints.
 *
 * The facts come from daemon/probe/prober.h; what they mean is judged here, purely. A finding is an
 * outcome that an import would come to, foretold, with what a person can do about it: the whole
 * statement where there is one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/redact.h"
#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/model/rule.h"
#include "daemon/mysql/preflight.h"
#include "daemon/mysql/sql-error.h"
#include "daemon/tls/server-certificate.h"

#define PROBE_FINDINGS_MAX 9

/* The procedures that may be called, all of the schema mysql. */
typedef enum ProbeProcedure {
        PROBE_IMPORT,
        PROBE_STOP,
        PROBE_START,
        _PROBE_PROCEDURE_MAX,
} ProbeProcedure;

typedef struct ProbeFinding {
        OutcomeKind outcome;
        Severity severity; /* an error: an import would not work */
        unsigned sql_errno;
        char text[OUTCOME_TEXT_MAX];
        char next_step[OUTCOME_NEXT_STEP_MAX]; /* "": nothing is to do */
} ProbeFinding;

/* Why one question was not answered. */
typedef struct ProbeError {
        unsigned number; /* the server's; 0: it was answered, or not asked */
        char text[OUTCOME_TEXT_MAX];
} ProbeError;

typedef struct Probe {
        ServerInfo server;    /* without a session only the first address of the name */
        bool logged_in;       /* nothing down to `preflight_known` is known otherwise */
        bool preflight_known; /* the preflight was answered; nothing below is known otherwise */
        Preflight preflight;
        bool procedures_known;               /* the two below are known */
        char account[SQL_GRANT_ACCOUNT_MAX]; /* "user@host", as the server found it */
        bool visible[_PROBE_PROCEDURE_MAX];  /* to this account */
        Replication replication;
        ProbeError replication_error; /* why it is not known */
        LedgerReading ledger;
        ProbeError ledger_error; /* why it cannot be read or written */
        ServerCertificate
                server_certificate; /* on a connection of its own; known whatever stands above */
        Newlines newlines; /* the payload's form: configured, remembered, or AUTO: not known */
        uint64_t duration_usec;
        ProbeFinding findings[PROBE_FINDINGS_MAX];
        unsigned n_findings;
} Probe;

const char *probe_procedure_name(ProbeProcedure procedure);

/* What ended the asking, or kept it from beginning. */
void probe_add_outcome(Probe *probe, const Outcome *outcome);

/* Adds a finding for every known fact that an import under this configuration would stumble over. */
void probe_evaluate(Probe *probe, const ClusterConfig *cluster);

/* A certificate that has this long left, or less, is worth a warning. */
#define PROBE_EXPIRY_USEC (30 * USEC_PER_DAY)

/* Says in the finding of a login that failed for TLS what is wrong with the certificate, and adds
 * one where the login went well and the certificate is not as it should be, or soon is not. */
void probe_evaluate_certificate(Probe *probe, const ClusterConfig *cluster, uint64_t now_usec);

/* Covers what the server has repeated of a secret. */
void probe_redact(Probe *probe, const Redactor *redactor);

/* An import would work, as far as one can tell without sending it. */
bool probe_is_good(const Probe *probe);
