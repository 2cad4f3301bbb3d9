#include "daemon/probe/probe.h"

#include <inttypes.h>
#include <string.h>

#include "common/text.h"
#include "daemon/config/expiry-warnings.h"
#include "daemon/mysql/error-advice.h"
#include "daemon/mysql/rds.h"

static const char *const procedure_names[_PROBE_PROCEDURE_MAX] = {
        [PROBE_IMPORT] = RDS_IMPORT_PROCEDURE,
        [PROBE_STOP] = RDS_STOP_PROCEDURE,
        [PROBE_START] = RDS_START_PROCEDURE,
        [PROBE_REMOVE] = RDS_REMOVE_PROCEDURE,
};

static const char *const source_names[_PROBE_SOURCE_MAX] = {
        [PROBE_SOURCE_NOT_ASKED] = "not_asked",
        [PROBE_SOURCE_NO_SET] = "no_set",
        [PROBE_SOURCE_ACCEPTS] = "accepts",
        [PROBE_SOURCE_INCOMPLETE] = "incomplete",
        [PROBE_SOURCE_FAILS] = "fails",
};

const char *probe_procedure_name(ProbeProcedure procedure)
{
        return (unsigned)procedure < _PROBE_PROCEDURE_MAX ? procedure_names[procedure] : "";
}

const char *probe_source_to_string(ProbeSource source)
{
        return (unsigned)source < _PROBE_SOURCE_MAX ? source_names[source] : "";
}

static bool finding_is_valid(const ProbeFinding *finding)
{
        return IS_ENUMERATOR(finding->outcome, _OUTCOME_KIND_MAX) &&
                IS_ENUMERATOR(finding->severity, _SEVERITY_MAX) &&
                TEXT_IS_RECEIVED(finding->text) && TEXT_IS_RECEIVED(finding->next_step);
}

static bool ledger_is_valid(const Probe *probe)
{
        return ledger_reading_is_valid(&probe->ledger) &&
                is_boolean(&probe->ledger_columns.known) &&
                is_boolean(&probe->ledger_columns.has_stop) &&
                is_boolean(&probe->ledger_columns.has_removed) &&
                session_error_is_valid(&probe->ledger_error);
}

bool probe_is_valid(const Probe *probe)
{
        for (size_t i = 0; i < _PROBE_PROCEDURE_MAX; i++)
                if (!is_boolean(&probe->visible[i]))
                        return false;
        if (probe->n_findings > PROBE_FINDINGS_MAX)
                return false;
        for (unsigned i = 0; i < probe->n_findings; i++)
                if (!finding_is_valid(&probe->findings[i]))
                        return false;
        return server_info_is_valid(&probe->server) && is_boolean(&probe->logged_in) &&
                is_boolean(&probe->preflight_known) && preflight_is_valid(&probe->preflight) &&
                is_boolean(&probe->procedures_known) && TEXT_IS_RECEIVED(probe->account) &&
                TEXT_IS_RECEIVED(probe->missing) && replication_is_valid(&probe->replication) &&
                session_error_is_valid(&probe->replication_error) && ledger_is_valid(probe) &&
                IS_ENUMERATOR(probe->source, _PROBE_SOURCE_MAX) &&
                TEXT_IS_RECEIVED(probe->set_fingerprint) &&
                server_certificate_is_valid(&probe->server_certificate) &&
                IS_ENUMERATOR(probe->newlines, _NEWLINES_MAX);
}

static ProbeFinding *add(Probe *probe, OutcomeKind outcome, Severity severity)
{
        /* There is room for one finding of each kind; beyond that the newest replaces the last. */
        unsigned i = probe->n_findings < PROBE_FINDINGS_MAX ? probe->n_findings++
                                                            : PROBE_FINDINGS_MAX - 1;

        probe->findings[i] = (ProbeFinding){.outcome = outcome, .severity = severity};
        text_set(probe->findings[i].next_step, OUTCOME_NEXT_STEP_MAX,
                outcome_next_step(outcome, ""));
        return &probe->findings[i];
}

/* For an error of the server; without advice the outcome's next step stays. */
static void advise(ProbeFinding *finding, unsigned number)
{
        const char *advice = error_advice(number);

        finding->sql_errno = number;
        if (advice[0] != '\0')
                text_set(finding->next_step, sizeof(finding->next_step), advice);
}

void probe_add_outcome(Probe *probe, const Outcome *outcome)
{
        ProbeFinding *finding = add(probe, outcome->kind, SEVERITY_ERROR);

        finding->sql_errno = outcome->sql_errno;
        text_set(finding->text, sizeof(finding->text), outcome->text);
        if (outcome->next_step[0] != '\0')
                text_set(finding->next_step, sizeof(finding->next_step), outcome->next_step);
        if (outcome->kind == OUTCOME_TIMED_OUT)
                text_set(finding->next_step, sizeof(finding->next_step),
                        outcome_retry_note(outcome->kind));
}

void probe_add_source(Probe *probe, const Outcome *outcome, const char *fingerprint)
{
        text_set(probe->set_fingerprint, sizeof(probe->set_fingerprint), fingerprint);
        if (!outcome_is_success(outcome->kind)) {
                probe->source = PROBE_SOURCE_FAILS;
                probe_add_outcome(probe, outcome);
        } else if (outcome->warning[0] != '\0') {
                ProbeFinding *finding = add(probe, OUTCOME_SOURCE_UNREACHABLE, SEVERITY_WARNING);

                probe->source = PROBE_SOURCE_INCOMPLETE;
                text_set(finding->text, sizeof(finding->text), outcome->warning);
                finding->next_step[0] = '\0'; /* the warning has it */
        } else
                probe->source = PROBE_SOURCE_ACCEPTS;
}

void probe_add_no_set(Probe *probe, const char *reason)
{
        ProbeFinding *finding = add(probe, OUTCOME_SOURCE_UNREACHABLE, SEVERITY_WARNING);

        probe->source = PROBE_SOURCE_NO_SET;
        text_format(finding->text, sizeof(finding->text),
                "the source was not tested, because there is no set on disk that can be imported: "
                "%s",
                reason);
        text_set(finding->next_step, sizeof(finding->next_step),
                "see binlog-sslctl explain, or as the service's user binlog-ssld --check");
}

/* Evaluates the logs that would keep a key at any offset. */
static void evaluate_log(Probe *probe, const ClusterConfig *cluster)
{
        Severity severity = cluster->query_log == POLICY_REFUSE ? SEVERITY_ERROR : SEVERITY_WARNING;
        char text[OUTCOME_TEXT_MAX];
        ProbeFinding *finding;

        if (cluster->query_log == POLICY_IGNORE ||
                !preflight_would_log_key(text, sizeof(text), &probe->preflight, UINT64_MAX))
                return;
        finding = add(probe, OUTCOME_REFUSED_LOG, severity);
        text_set(finding->text, sizeof(finding->text), text);
        if (probe->procedures_known &&
                (probe->preflight.general_privilege_missing ||
                        probe->preflight.slow_privilege_missing))
                sql_grant_logs(finding->next_step, sizeof(finding->next_step),
                        probe->server.version, probe->account,
                        probe->preflight.general_privilege_missing);
}

/* The offset of the key depends on the set, and a probe has none: a warning, not an error. */
static void evaluate_statement_text(Probe *probe, const ClusterConfig *cluster)
{
        ProbeFinding *finding;
        uint64_t bytes = probe->preflight.text_bytes;

        if (bytes <= PREFLIGHT_CERTIFICATES_MIN || cluster->query_log == POLICY_IGNORE)
                return;
        finding = add(probe, OUTCOME_REFUSED_LOG, SEVERITY_WARNING);
        if (bytes == UINT64_MAX)
                text_set(finding->text, sizeof(finding->text), PREFLIGHT_TEXT_BYTES_UNKNOWN);
        else
                text_format(finding->text, sizeof(finding->text),
                        "performance_schema_max_sql_text_length = %" PRIu64
                        ": the key is kept where CA and certificate take less",
                        bytes);
        text_format(finding->next_step, sizeof(finding->next_step),
                "set performance_schema_max_sql_text_length to %d, its default, or see whether the "
                "import is refused",
                PREFLIGHT_CERTIFICATES_MIN);
}

static void evaluate_packet(Probe *probe)
{
        char text[OUTCOME_TEXT_MAX];
        ProbeFinding *finding;

        if (!preflight_would_refuse_packet(
                    text, sizeof(text), &probe->preflight, probe->call_bytes))
                return;
        finding = add(probe, OUTCOME_REJECTED, SEVERITY_ERROR);
        text_format(finding->text, sizeof(finding->text),
                "%s, so that the import would end with "
                "error %d",
                text, ERROR_ADVICE_PACKET);
        text_set(finding->next_step, sizeof(finding->next_step), error_advice(ERROR_ADVICE_PACKET));
}

/* The server lists a procedure only to an account that may execute it, so a missing grant and a
 * missing procedure cannot be distinguished. */
static void add_missing(Probe *probe, const char *name, OutcomeKind outcome, Severity severity)
{
        ProbeFinding *finding = add(probe, outcome, severity);

        text_format(finding->text, sizeof(finding->text),
                "mysql.%s is not visible: either this user may not execute it, or the server does "
                "not have it",
                name);
        sql_grant_procedure(finding->next_step, sizeof(finding->next_step), name, probe->account);
}

static void evaluate_procedure(
        Probe *probe, ProbeProcedure procedure, OutcomeKind outcome, Severity severity)
{
        if (probe->procedures_known && !probe->visible[procedure])
                add_missing(probe, procedure_names[procedure], outcome, severity);
}

/* Without the privilege to read the status, restart is an error and observe a warning. */
static void evaluate_replication(Probe *probe, const ClusterConfig *cluster)
{
        bool restart = replication_mode_restarts(cluster->replication);
        bool needed = probe->replication_error.number != 0 || probe->replication.configured;
        Severity severity = needed ? SEVERITY_ERROR : SEVERITY_WARNING;
        ProbeFinding *finding;

        if (probe->replication_error.number != 0) {
                finding = add(probe, OUTCOME_REPLICATION_FAILED,
                        restart ? SEVERITY_ERROR : SEVERITY_WARNING);
                text_format(finding->text, sizeof(finding->text), "SHOW REPLICA STATUS: %s",
                        probe->replication_error.text);
                advise(finding, probe->replication_error.number);
                if (probe->replication_error.number == 1227 && probe->procedures_known)
                        sql_grant_status(finding->next_step, sizeof(finding->next_step),
                                probe->server.version, probe->account);
        }
        if (!restart)
                return;
        evaluate_procedure(probe, PROBE_STOP, OUTCOME_REPLICATION_FAILED, severity);
        evaluate_procedure(probe, PROBE_START, OUTCOME_REPLICATION_FAILED, severity);
        if (probe->missing[0] != '\0')
                add_missing(probe, probe->missing, OUTCOME_REPLICATION_FAILED, severity);
}

static void evaluate_ledger(Probe *probe, const ClusterConfig *cluster)
{
        unsigned number = probe->ledger_error.number;
        char grant[OUTCOME_NEXT_STEP_MAX];
        ProbeFinding *finding;

        if (number == 0)
                return;
        sql_grant_for_table(grant, sizeof(grant), number, cluster->ledger, probe->account);
        finding = add(
                probe, grant[0] != '\0' ? OUTCOME_NO_PRIVILEGE : OUTCOME_REJECTED, SEVERITY_ERROR);
        text_format(finding->text, sizeof(finding->text), "ledger %s: %s", cluster->ledger,
                probe->ledger_error.text);
        advise(finding, number);
        if (grant[0] != '\0')
                text_set(finding->next_step, sizeof(finding->next_step), grant);
}

/* A table of an earlier version is used as it is. */
static void evaluate_columns(Probe *probe, const ClusterConfig *cluster)
{
        const LedgerColumns *columns = &probe->ledger_columns;
        bool stop = columns->known && !columns->has_stop &&
                replication_mode_restarts(cluster->replication);
        bool removed = columns->known && !columns->has_removed;
        ProbeFinding *finding;

        if (!stop && !removed)
                return;
        finding = add(probe, OUTCOME_REJECTED, SEVERITY_WARNING);
        text_format(finding->text, sizeof(finding->text), "ledger %s %s%s%s", cluster->ledger,
                stop ? "has no column replication_stopped, so that no other daemon can start what "
                       "this one has stopped"
                     : "",
                stop && removed ? "; it " : "",
                removed ? "has no state 'removed', so that binlog-sslctl remove fails" : "");
        text_format(finding->next_step, sizeof(finding->next_step), "ALTER TABLE %s %s%s%s",
                cluster->ledger, columns->has_stop ? "" : LEDGER_ADD_STOP,
                columns->has_stop || columns->has_removed ? "" : ", ",
                columns->has_removed ? "" : LEDGER_MODIFY_STATE);
}

void probe_evaluate(Probe *probe, const ClusterConfig *cluster)
{
        const char *why = preflight_not_writer_reason(&probe->preflight);

        if (!probe->preflight_known)
                return;
        if (why)
                text_set(add(probe, OUTCOME_NOT_WRITER, SEVERITY_ERROR)->text, OUTCOME_TEXT_MAX,
                        why);
        evaluate_log(probe, cluster);
        evaluate_statement_text(probe, cluster);
        evaluate_packet(probe);
        evaluate_procedure(probe, PROBE_IMPORT, OUTCOME_NO_PRIVILEGE, SEVERITY_ERROR);
        evaluate_ledger(probe, cluster);
        evaluate_columns(probe, cluster);
        if (cluster->replication != REPLICATION_IGNORE)
                evaluate_replication(probe, cluster);
}

void probe_evaluate_certificate(Probe *probe, uint64_t now_usec)
{
        const ServerCertificate *certificate = &probe->server_certificate;
        ProbeFinding *finding;
        char date[CLOCK_TEXT_SIZE];

        if (certificate->result != CERTIFICATE_VERIFIED ||
                certificate->not_after_usec >= now_usec +
                                expiry_warning_length_usec(PROBE_EXPIRY_USEC,
                                        certificate->not_before_usec, certificate->not_after_usec))
                return;
        finding = add(probe, OUTCOME_TLS, SEVERITY_WARNING);
        text_format(finding->text, sizeof(finding->text),
                "the server's certificate is valid until %s",
                clock_format_date(date, certificate->not_after_usec));
        text_set(finding->next_step, sizeof(finding->next_step),
                "renew it on the server before that day: no import works afterwards");
}

void probe_redact(Probe *probe, const Redactor *redactor)
{
        REDACT(redactor, probe->server.version);
        REDACT(redactor, probe->account);
        REDACT(redactor, probe->replication_error.text);
        REDACT(redactor, probe->ledger_error.text);
        REDACT(redactor, probe->ledger.newest.daemon);
        replication_redact(&probe->replication, redactor);
        for (unsigned i = 0; i < probe->n_findings; i++) {
                REDACT(redactor, probe->findings[i].text);
                REDACT(redactor, probe->findings[i].next_step);
        }
}

bool probe_is_good(const Probe *probe)
{
        for (unsigned i = 0; i < probe->n_findings; i++)
                if (probe->findings[i].severity == SEVERITY_ERROR)
                        return false;
        return true;
}

const char *probe_result_word(const ClusterConfig *cluster, const Probe *probe)
{
        if (!cluster->enabled)
                return "disabled";
        return probe_is_good(probe) ? "works" : "fails";
}
