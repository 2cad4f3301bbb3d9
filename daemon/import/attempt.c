#include "daemon/import/attempt.h"

#include "common/text.h"
#include "daemon/mysql/error-advice.h"
#include "daemon/mysql/sql-error.h"

/* The offset is a lower bound, because the text of the CALL precedes the payload. */
static bool check_logs(Outcome *ret, Session *session, const Preflight *preflight, Policy policy,
        const CallPayload *payload)
{
        size_t key_offset = call_key_offset(payload->data, payload->size);
        char text[OUTCOME_TEXT_MAX];

        if (!preflight_would_log_key(text, sizeof(text), preflight, key_offset))
                return true;
        if (policy == POLICY_WARN)
                text_set(ret->warning, sizeof(ret->warning), text);
        if (policy != POLICY_REFUSE)
                return true;
        ret->kind = OUTCOME_REFUSED_LOG;
        text_set(ret->text, sizeof(ret->text), text);
        if (preflight->general_privilege_missing || preflight->slow_privilege_missing)
                sql_error_advise_logs(ret, session, preflight->general_privilege_missing);
        return false;
}

/* Before the stop of replication, because the server ends the connection after such a packet. */
static bool check_packet(Outcome *ret, const Preflight *preflight, const ClusterConfig *cluster,
        const CallPayload *payload)
{
        char text[OUTCOME_TEXT_MAX];

        if (!preflight_would_refuse_packet(
                    text, sizeof(text), preflight, call_packet_size(payload, cluster->newlines)))
                return true;
        ret->warning[0] = '\0';
        ret->kind = OUTCOME_REJECTED;
        text_set(ret->text, sizeof(ret->text), text);
        text_set(ret->next_step, sizeof(ret->next_step), error_advice(ERROR_ADVICE_PACKET));
        return false;
}

/* A server without a role is not_writer as well: either a failover, which is transient, or
 * `host` is not a cluster endpoint. */
bool attempt_check_server(Attempt *attempt, const CallPayload *payload)
{
        const ImportTask *task = attempt->task;
        Preflight *preflight = &attempt->preflight;
        Outcome *ret = attempt->outcome;
        SessionError error = {0};
        const char *why;
        SessionResult result =
                preflight_run(preflight, attempt->session, task->cluster->login.user, &error);

        if (sql_error_fail(ret, result, &error, NULL))
                return false;
        text_set(ret->server.uuid, sizeof(ret->server.uuid), preflight->server_uuid);
        /* The role comes last: no setting permits a non-writer. A reader's logs are irrelevant. */
        if (payload && !preflight->reader && task->action == IMPORT_ACTION_IMPORT &&
                !check_logs(ret, attempt->session, preflight, task->cluster->query_log, payload))
                return false;
        why = preflight_not_writer_reason(preflight);
        if (!why)
                return !payload || task->action != IMPORT_ACTION_IMPORT ||
                        check_packet(ret, preflight, task->cluster, payload);
        ret->warning[0] = '\0';
        ret->kind = OUTCOME_NOT_WRITER;
        text_set(ret->text, sizeof(ret->text), why);
        return false;
}
