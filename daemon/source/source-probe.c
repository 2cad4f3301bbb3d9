#include "daemon/source/source-probe.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"
#include "daemon/mysql/login.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/sql-error.h"
#include "daemon/source/source-verdict.h"

/* A probe takes a part of the time that is left, so that the rest is enough for the import. */
#define SOURCE_PROBE_SHARE    3
#define SOURCE_PROBE_MAX_USEC (15 * USEC_PER_SEC)

typedef struct ProbeTask {
        const LoginConfig *source;
        const char *plugins;
        const Secret *pem;
        uint64_t timeout_usec;
} ProbeTask;

static int run(void *result, const void *userdata)
{
        const ProbeTask *task = userdata;
        uint64_t deadline_usec = login_deadline_usec(clock_boottime_usec(), task->timeout_usec);

        return source_login(result, task->source, task->plugins, task->pem, deadline_usec);
}

/* A replica sends no password in clear text, so the probe does not either. */
static void list_plugins(char list[CONFIG_PLUGINS_MAX], const ClusterConfig *cluster)
{
        ClusterConfig source = *cluster;

        source.cleartext_password = false;
        config_list_plugins(&source, list);
}

static bool needs_status(const LoginConfig *source)
{
        return source->host[0] == '\0' || source->port == 0 ||
                (source->user[0] == '\0' && login_config_has_password(source));
}

/* Returns false if the session with the cluster has ended: that is then the outcome. */
static bool read_status(Outcome *ret, Replication *replication, ReplicationSource *replica,
        SessionError *error, Session *session)
{
        SessionResult result = replica_status_read(replication, replica, session, error);

        return result == SESSION_OK || result == SESSION_SERVER ||
                !sql_error_fail(ret, result, error, "SHOW REPLICA STATUS");
}

static bool probe(Outcome *ret, const ClusterConfig *cluster, const LoginConfig *source,
        const Secret *pem, uint64_t deadline_usec)
{
        SourceProbe mode = cluster->source_probe;
        uint64_t share_usec = clock_left_usec(deadline_usec) / SOURCE_PROBE_SHARE;
        char plugins[CONFIG_PLUGINS_MAX], reason[OUTCOME_TEXT_MAX];
        ProbeTask probe_task = {.source = source, .plugins = plugins, .pem = pem};
        JobSpec spec = {
                .name = "binlog-source",
                .run = run,
                .task = &probe_task,
                .result_size = sizeof(SourceReply),
        };
        SourceReply reply = {0};
        int r;

        list_plugins(plugins, cluster);
        if (share_usec > SOURCE_PROBE_MAX_USEC)
                share_usec = SOURCE_PROBE_MAX_USEC;
        probe_task.timeout_usec = spec.deadline_usec = share_usec;
        r = job_run(&reply, &spec);
        if (r == 0 && source_reply_is_valid(&reply))
                return source_verdict_judge(ret, &reply, source, mode);
        if (r == -ETIMEDOUT) {
                text_format(reason, sizeof(reason),
                        "the source %s port %u has not answered this host within %.1f s",
                        source->host, source->port, (double)share_usec / USEC_PER_SEC);
                return source_verdict_set_unknown(ret, reason, SOURCE_VERDICT_UNREACHED, mode);
        }
        text_format(reason, sizeof(reason), "the process of the probe failed: %s",
                r == 0                 ? "it sent an invalid result"
                        : r == -ECHILD ? "it ended without a result"
                                       : strerror(-r));
        return source_verdict_set_unknown(ret, reason, "see the journal of this unit", mode);
}

bool source_probe_run(Outcome *ret, Session *session, const ClusterConfig *cluster,
        const Secret pem[static _MATERIAL_FILE_MAX], uint64_t deadline_usec)
{
        Replication replication = {0};
        ReplicationSource replica = {0};
        SessionError error = {0};
        char reason[OUTCOME_TEXT_MAX];
        LoginConfig source;

        if (cluster->replication != REPLICATION_IGNORE && needs_status(&cluster->source) &&
                !read_status(ret, &replication, &replica, &error, session))
                return false;
        if (source_verdict_locate(
                    &source, reason, sizeof(reason), cluster, &replication, &replica, error.text))
                return probe(ret, cluster, &source, pem, deadline_usec);
        return source_verdict_set_unknown(
                ret, reason, "set source-host, and source-user for a login", cluster->source_probe);
}
