#include "daemon/model/outcome.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/macro.h"

static const char *const kind_names[_OUTCOME_KIND_MAX] = {
        [OUTCOME_IMPORTED] = "imported",
        [OUTCOME_ALREADY_CURRENT] = "already_current",
        [OUTCOME_SUPERSEDED] = "superseded",
        [OUTCOME_REFUSED_LOG] = "refused_log",
        [OUTCOME_NOT_WRITER] = "not_writer",
        [OUTCOME_UNREACHABLE] = "unreachable",
        [OUTCOME_TLS] = "tls",
        [OUTCOME_AUTH] = "auth",
        [OUTCOME_NO_PROCEDURE] = "no_procedure",
        [OUTCOME_NO_PRIVILEGE] = "no_privilege",
        [OUTCOME_REJECTED] = "rejected",
        [OUTCOME_TIMED_OUT] = "timed_out",
        [OUTCOME_UNKNOWN] = "unknown",
        [OUTCOME_REPLICATION_FAILED] = "replication_failed",
        [OUTCOME_CRASHED] = "crashed",
};

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
        return (unsigned)kind < _OUTCOME_KIND_MAX ? kind_names[kind] : "";
}

int outcome_kind_from_string(OutcomeKind *ret, const char *name)
{
        for (unsigned i = 0; i < _OUTCOME_KIND_MAX; i++)
                if (strcmp(kind_names[i], name) == 0) {
                        *ret = (OutcomeKind)i;
                        return 0;
                }
        return -EINVAL;
}

bool outcome_is_success(OutcomeKind kind)
{
        return kind == OUTCOME_IMPORTED || kind == OUTCOME_ALREADY_CURRENT;
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
        switch (kind) {
        case OUTCOME_SUPERSEDED: /* until this host has the newer set as well */
        case OUTCOME_UNREACHABLE:
        case OUTCOME_NOT_WRITER:
        case OUTCOME_TLS:
        case OUTCOME_TIMED_OUT:
        case OUTCOME_UNKNOWN:
        case OUTCOME_CRASHED:
                return true;
        case OUTCOME_REJECTED:
                return is_momentary(sql_errno);
        case OUTCOME_IMPORTED:
        case OUTCOME_ALREADY_CURRENT:
        case OUTCOME_REFUSED_LOG:
        case OUTCOME_AUTH:
        case OUTCOME_NO_PROCEDURE:
        case OUTCOME_NO_PRIVILEGE:
        case OUTCOME_REPLICATION_FAILED:
        case _OUTCOME_KIND_MAX:
                break;
        }
        return false;
}

const char *outcome_next_step(OutcomeKind kind, const char *exact)
{
        if (exact[0] != '\0')
                return exact;
        switch (kind) {
        case OUTCOME_IMPORTED:
        case OUTCOME_ALREADY_CURRENT:
        case OUTCOME_UNKNOWN:
        case OUTCOME_TIMED_OUT:
        case _OUTCOME_KIND_MAX:
                break;
        case OUTCOME_SUPERSEDED:
                return "copy the newer set to this host as well; binlog-sslctl import --force "
                       "restores the older one";
        case OUTCOME_REFUSED_LOG:
                return "switch that log off, on Aurora in the cluster's parameter group, or set "
                       "query-log = warn if it may hold the key";
        case OUTCOME_NOT_WRITER:
                return "host must be the cluster endpoint; during a failover this passes";
        case OUTCOME_UNREACHABLE:
                return "check host, port, name resolution and the security group";
        case OUTCOME_TLS:
                return "check server-ca, and that host is a name in the server's certificate";
        case OUTCOME_AUTH:
                return "check user, password and the account's host and plugin";
        case OUTCOME_NO_PROCEDURE:
                return "this server has no mysql.rds_import_binlog_ssl_material; check host and "
                       "the Aurora MySQL version";
        case OUTCOME_NO_PRIVILEGE:
                return "GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material to the "
                       "user; a version without the procedure may answer the same";
        case OUTCOME_REJECTED:
                return "the server's message says why; payload-newlines is one thing to try";
        case OUTCOME_REPLICATION_FAILED:
                return "check SHOW REPLICA STATUS on the cluster";
        case OUTCOME_CRASHED:
                return "this is a bug: please report it with the journal of this unit";
        }
        return "";
}

const char *outcome_retry_note(OutcomeKind kind)
{
        switch (kind) {
        case OUTCOME_TIMED_OUT:
                return "check whether the cluster is slow or a firewall drops packets";
        case OUTCOME_UNKNOWN:
                return "nothing: the set is imported again, which is harmless";
        default:
                return "nothing: the import is retried";
        }
}
