#include "daemon/model/replication-state.h"

#include <string.h>
#include <strings.h>

#include "common/text.h"

const char *replication_state_to_string(ReplicationState state)
{
        static const char *const names[_REPLICATION_STATE_MAX] = {
                [REPLICATION_STATE_UNKNOWN] = "unknown",
                [REPLICATION_STATE_NOT_CONFIGURED] = "not configured",
                [REPLICATION_STATE_RUNNING] = "running",
                [REPLICATION_STATE_CONNECTING] = "connecting",
                [REPLICATION_STATE_STOPPED] = "stopped",
                [REPLICATION_STATE_STOPPED_BY_US] = "stopped by import",
                [REPLICATION_STATE_FAILING] = "failing",
        };

        return (unsigned)state < _REPLICATION_STATE_MAX ? names[state] : "";
}

static bool is_stopped(const char *thread)
{
        return strcasecmp(thread, "no") == 0;
}

ReplicationState replication_state(const Replication *replication)
{
        if (!replication->known)
                return REPLICATION_STATE_UNKNOWN;
        if (!replication->configured)
                return REPLICATION_STATE_NOT_CONFIGURED;
        if (replication->stopped_by_us)
                return REPLICATION_STATE_STOPPED_BY_US;
        if (!replication_is_active(replication) && replication->sql_errno == 0)
                return REPLICATION_STATE_STOPPED;
        if (replication_is_broken(replication))
                return REPLICATION_STATE_FAILING;
        if (replication_is_running(replication))
                return REPLICATION_STATE_RUNNING;
        if (replication->io_running[0] == '\0' || replication->sql_running[0] == '\0')
                return REPLICATION_STATE_UNKNOWN;
        return is_stopped(replication->io_running) || is_stopped(replication->sql_running)
                ? REPLICATION_STATE_STOPPED
                : REPLICATION_STATE_CONNECTING;
}

static bool io_fails(const Replication *replication)
{
        return replication->io_errno != 0 && strcasecmp(replication->io_running, "yes") != 0;
}

static const char *stopped_threads(const Replication *replication)
{
        if (!replication_is_active(replication))
                return "replication";
        return is_stopped(replication->io_running) ? "the replication I/O thread"
                                                   : "the replication SQL thread";
}

void replication_state_reason(char *buffer, size_t size, const Replication *replication)
{
        bool io = io_fails(replication);

        buffer[0] = '\0';
        switch (replication_state(replication)) {
        case REPLICATION_STATE_FAILING:
                text_format(buffer, size, "replication %s thread (error %u): %s",
                        io ? "I/O" : "SQL", io ? replication->io_errno : replication->sql_errno,
                        io ? replication->io_error : replication->sql_error);
                break;
        case REPLICATION_STATE_STOPPED:
                text_format(buffer, size, "%s is stopped, not by binlog-ssld, and stays stopped",
                        stopped_threads(replication));
                break;
        case REPLICATION_STATE_RUNNING:
                if (!replication->lag_known)
                        text_set(buffer, size, "replication runs, but its lag is not reported");
                break;
        case REPLICATION_STATE_UNKNOWN:
                if (replication->known)
                        text_set(buffer, size,
                                "the server does not report whether both replication threads run");
                break;
        case REPLICATION_STATE_NOT_CONFIGURED:
        case REPLICATION_STATE_CONNECTING:
        case REPLICATION_STATE_STOPPED_BY_US:
        case _REPLICATION_STATE_MAX:
                break;
        }
}

/* doc/aurora.md, "Replica status". */
static const char *io_next_step(const Replication *replication)
{
        if (replication_lacks_events(replication))
                return "only a person can decide: the source does not send the events from the "
                       "position of the replica; binlog-ssld never moves that position. See SHOW "
                       "REPLICA STATUS on the cluster and the binary logs of the source";
        if (replication_may_be_denied(replication) && replication->io_repeated)
                return "the source ends each connection, as one that refuses the client "
                       "certificate: add the CA of the imported set to its ssl-ca, or write the set "
                       "before it to disk; see its error log, and the network between";
        if (replication_may_be_denied(replication))
                return "if it stays, the source ends the connection as one that refuses the client "
                       "certificate: compare the imported set with its ssl-ca, and look at its error "
                       "log and at the network between; to go back, write the set before it to disk";
        if (replication->io_errno == 2026)
                return "compare the imported set with what the source requires: its CA, and "
                       "SUBJECT or ISSUER of the account; to go back, write the set before it to "
                       "disk; to import this one again: binlog-sslctl import --force";
        if (replication_is_refused(replication))
                return "check the account of replication on the source: its password, host, and "
                       "REQUIRE SUBJECT or ISSUER";
        switch (replication->io_errno) {
        case 2002:
        case 2003:
        case 2005:
        case 2013:
                return "check the way from the cluster to the source; the cluster retries by "
                       "itself";
        default:
                return "look at SHOW REPLICA STATUS on the cluster";
        }
}

const char *replication_state_next_step(const Replication *replication, ReplicationMode mode)
{
        switch (replication_state(replication)) {
        case REPLICATION_STATE_FAILING:
                return io_fails(replication)
                        ? io_next_step(replication)
                        : "repair the cause, then CALL mysql.rds_stop_replication() and CALL "
                          "mysql.rds_start_replication() on the cluster";
        case REPLICATION_STATE_STOPPED:
                if (mode == REPLICATION_REPOINT)
                        return "if that is intended, nothing; to start it with the imported set: "
                               "CALL mysql.rds_start_replication() on the cluster, then "
                               "binlog-sslctl import --force";
                return replication_is_active(replication)
                        ? "if that is intended, nothing; to start both threads: CALL "
                          "mysql.rds_stop_replication(), then CALL mysql.rds_start_replication() on "
                          "the cluster"
                        : "if that is intended, nothing; to start it: CALL "
                          "mysql.rds_start_replication() on the cluster";
        case REPLICATION_STATE_RUNNING:
                return replication->lag_known ? "" : "look at SHOW REPLICA STATUS on the cluster";
        case REPLICATION_STATE_UNKNOWN:
                return replication->known ? "look at SHOW REPLICA STATUS on the cluster" : "";
        case REPLICATION_STATE_NOT_CONFIGURED:
        case REPLICATION_STATE_CONNECTING:
        case REPLICATION_STATE_STOPPED_BY_US:
        case _REPLICATION_STATE_MAX:
                break;
        }
        return "";
}
