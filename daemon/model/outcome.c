#include "daemon/model/outcome.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"

/* One row per outcome: name, whether it is transient, and the general next step. A rejection is
 * also transient for some numbers of the server: is_momentary(); a login without a number. */
static const struct {
        const char *name;
        bool transient;
        const char *next_step;
} kinds[] = {
        [OUTCOME_IMPORTED] = {"imported", false, ""},
        [OUTCOME_ALREADY_CURRENT] = {"already_current", false, ""},
        [OUTCOME_REMOVED] = {"removed", false, ""},
        /* until this host has the newer set as well */
        [OUTCOME_SUPERSEDED] = {"superseded", true,
                "copy the newer set to this host as well; binlog-sslctl import --force restores "
                "the older one"},
        [OUTCOME_REFUSED_LOG] = {"refused_log", false,
                "switch that log off, on Aurora in the cluster's parameter group, or set "
                "query-log = warn if it may hold the key"},
        [OUTCOME_NOT_WRITER] = {"not_writer", true,
                "host must be the cluster endpoint; during a failover this passes"},
        [OUTCOME_UNREACHABLE] = {"unreachable", true,
                "check host, port, name resolution and the security group"},
        [OUTCOME_TLS] = {"tls", true,
                "check server-ca, host and port; the server must offer TLS 1.2 or 1.3"},
        [OUTCOME_AUTH] = {"auth", false, "check user, password and the account's host and plugin"},
        [OUTCOME_NO_PROCEDURE] = {"no_procedure", false,
                "this server has no mysql.rds_import_binlog_ssl_material; check host and the "
                "Aurora MySQL version"},
        [OUTCOME_NO_PRIVILEGE] = {"no_privilege", false,
                "GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material to the user; a "
                "version without the procedure may answer the same"},
        [OUTCOME_REJECTED] = {"rejected", false, "the server's message says why"},
        [OUTCOME_TIMED_OUT] = {"timed_out", true, ""},
        [OUTCOME_UNKNOWN] = {"unknown", true, ""},
        [OUTCOME_REPLICATION_FAILED] = {"replication_failed", false,
                "check SHOW REPLICA STATUS on the cluster"},
        [OUTCOME_RECORD_FAILED] = {"record_failed", true,
                "make the state directory writable, or free space there; the import is retried"},
        [OUTCOME_SOURCE_REFUSED] = {"source_refused", false,
                "make the source accept the new certificate, then binlog-sslctl import"},
        [OUTCOME_SOURCE_UNREACHABLE] = {"source_unreachable", true,
                "source-host can name an address that this host reaches; source-probe = try "
                "imports without an answer of the source"},
        [OUTCOME_ROLLED_BACK] = {"rolled_back", false,
                "put a set on disk that the source accepts; binlog-sslctl import tries the one on "
                "disk once more"},
        [OUTCOME_CRASHED] = {"crashed", true,
                "this is a bug: please report it with the journal of this unit"},
};
_Static_assert(ARRAY_SIZE(kinds) == _OUTCOME_KIND_MAX, "every outcome has a row");

bool record_stop_is_valid(const RecordStop *stop)
{
        return stop->at_usec <= INT64_MAX && report_fingerprint_is_valid(stop->fingerprint) &&
                IS_ENUMERATOR(stop->mode, _REPLICATION_MODE_MAX) && is_boolean(&stop->running) &&
                TEXT_IS_RECEIVED(stop->log_file) && stop->log_position <= INT64_MAX &&
                is_boolean(&stop->completed);
}

bool ledger_reading_is_valid(const LedgerReading *reading)
{
        const LedgerEntry *newest = &reading->newest;

        return is_boolean(&reading->known) && IS_ENUMERATOR(newest->state, _LEDGER_STATE_MAX) &&
                report_fingerprint_is_valid(newest->set.fingerprint) &&
                report_fingerprint_is_valid(newest->set.legacy_fingerprint) &&
                newest->set.not_before_usec <= INT64_MAX &&
                newest->set.not_after_usec <= INT64_MAX && newest->imported_at_usec <= INT64_MAX &&
                TEXT_IS_RECEIVED(newest->daemon) && record_stop_is_valid(&reading->stop);
}

bool server_info_is_valid(const ServerInfo *server)
{
        return TEXT_IS_RECEIVED(server->address) && TEXT_IS_RECEIVED(server->uuid) &&
                TEXT_IS_RECEIVED(server->version) && TEXT_IS_RECEIVED(server->tls_version) &&
                TEXT_IS_RECEIVED(server->tls_cipher);
}

static bool effect_is_valid(const ImportEffect *effect)
{
        return is_boolean(&effect->committed) && is_boolean(&effect->in_doubt) &&
                is_boolean(&effect->stop_over) && is_boolean(&effect->replication_started) &&
                is_boolean(&effect->replication_restarted) && is_boolean(&effect->restart_due) &&
                IS_ENUMERATOR(effect->newlines, _NEWLINES_MAX) &&
                is_boolean(&effect->newlines_learned);
}

bool outcome_is_valid(const Outcome *outcome)
{
        return IS_ENUMERATOR(outcome->kind, _OUTCOME_KIND_MAX) &&
                outcome->sql_errno <= UINT16_MAX && TEXT_IS_RECEIVED(outcome->text) &&
                TEXT_IS_RECEIVED(outcome->next_step) && TEXT_IS_RECEIVED(outcome->warning) &&
                effect_is_valid(&outcome->effect) && server_info_is_valid(&outcome->server) &&
                replication_is_valid(&outcome->replication) &&
                ledger_reading_is_valid(&outcome->ledger);
}

void outcome_add_warning(Outcome *outcome, const char *text)
{
        size_t used = strlen(outcome->warning);

        text_format(outcome->warning + used, sizeof(outcome->warning) - used, "%s%s",
                used > 0 ? "; " : "", text);
}

void outcome_redact(Outcome *outcome, const Redactor *redactor)
{
        REDACT(redactor, outcome->text);
        REDACT(redactor, outcome->next_step);
        REDACT(redactor, outcome->warning);
        REDACT(redactor, outcome->server.version);
        REDACT(redactor, outcome->ledger.newest.set.fingerprint);
        REDACT(redactor, outcome->ledger.newest.daemon);
        replication_redact(&outcome->replication, redactor);
}

const char *outcome_kind_to_string(OutcomeKind kind)
{
        return (unsigned)kind < _OUTCOME_KIND_MAX ? kinds[kind].name : "";
}

int outcome_kind_from_string(OutcomeKind *ret, const char *name)
{
        for (unsigned i = 0; i < _OUTCOME_KIND_MAX; i++)
                if (strcmp(kinds[i].name, name) == 0) {
                        *ret = (OutcomeKind)i;
                        return 0;
                }
        return -EINVAL;
}

bool outcome_is_success(OutcomeKind kind)
{
        return kind == OUTCOME_IMPORTED || kind == OUTCOME_ALREADY_CURRENT ||
                kind == OUTCOME_REMOVED;
}

static bool is_momentary(unsigned sql_errno)
{
        switch (sql_errno) {
        case 1205: /* lock wait timeout */
        case 1213: /* deadlock */
        case 1317: /* the statement was interrupted */
        case 1969: /* max_statement_time, MariaDB */
        case 3024: /* max_execution_time */
                return true;
        default:
                return false;
        }
}

bool outcome_is_transient(OutcomeKind kind, unsigned sql_errno)
{
        if (kind == OUTCOME_REJECTED)
                return is_momentary(sql_errno);
        if (kind == OUTCOME_AUTH && sql_errno == 0)
                return true; /* no password: no login was refused, and none counts against the account */
        return (unsigned)kind < _OUTCOME_KIND_MAX && kinds[kind].transient;
}

bool outcome_is_retried(OutcomeKind kind)
{
        return kind != OUTCOME_SOURCE_REFUSED && kind != OUTCOME_ROLLED_BACK;
}

const char *outcome_next_step(OutcomeKind kind, const char *exact)
{
        if (exact[0] != '\0')
                return exact;
        return (unsigned)kind < _OUTCOME_KIND_MAX ? kinds[kind].next_step : "";
}

void kept_outcome_done(KeptOutcome *kept)
{
        free(kept->text);
        free(kept->next_step);
        *kept = KEPT_OUTCOME_NULL;
}

void kept_outcome_set(KeptOutcome *kept, const Outcome *outcome)
{
        kept->known = true;
        kept->kind = outcome->kind;
        kept->sql_errno = outcome->sql_errno;
        text_keep(&kept->text, outcome->text);
        text_keep(&kept->next_step, outcome->next_step);
}

bool kept_outcome_failed(const KeptOutcome *kept)
{
        return kept->known && !outcome_is_success(kept->kind);
}

const char *kept_outcome_to_string(const KeptOutcome *kept)
{
        return kept->known ? outcome_kind_to_string(kept->kind) : "";
}

const char *kept_outcome_reason(const KeptOutcome *kept)
{
        return kept->known && kept->text ? kept->text : kept_outcome_to_string(kept);
}

const char *kept_outcome_next_step(const KeptOutcome *kept)
{
        return kept->known ? outcome_next_step(kept->kind, text_kept(kept->next_step)) : "";
}

const char *outcome_retry_note(OutcomeKind kind)
{
        if (kind == OUTCOME_TIMED_OUT)
                return "check whether the cluster is slow or a firewall drops packets";
        if (kind == OUTCOME_UNKNOWN)
                return "nothing: the set is imported again, which is harmless";
        return "nothing: the import is retried";
}
