#include "daemon/varlink/methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/model/interface.h"
#include "daemon/status/summary-material.h"
#include "daemon/varlink/cluster-request.h"
#include "daemon/varlink/history-json.h"

/* Answers a call like connection_call_fn, after its rights and the names of its parameters are
 * checked. */
typedef int (*method_fn)(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error);

typedef struct Method {
        const char *name;
        method_fn fn;
        bool privileged;           /* see is_allowed() */
        const char *parameters[4]; /* ends with NULL */
} Method;

static int format_event(char **ret, const char *event, const MaterialStatus *material,
        const ClusterStatus *cluster, const MaterialStatus *material_of_cluster)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        json_put_string(writer, "event", event);
        json_key(writer, "material");
        if (material)
                status_json_write_material(writer, material);
        else
                json_null(writer);
        json_key(writer, "cluster");
        if (cluster)
                status_json_write_cluster(writer, cluster, material_of_cluster, clock_wall_usec());
        else
                json_null(writer);
        json_close_object(writer);
        return json_writer_finish(writer, ret);
}

static bool is_allowed(const ManagerOperations *operations, const Connection *connection)
{
        const Config *config = operations->config(operations->userdata);
        uid_t uid = connection_peer_uid(connection);

        if (uid == 0 || uid == geteuid())
                return true;
        return config->control_group[0] != '\0' &&
                connection_peer_is_member(connection, config->control_gid);
}

static int answer_status(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        ManagerStatus status = operations->status(operations->userdata);

        return status_json_format(ret, operations->info, &status);
}

/* Makes the next answer of a subscription: the state of one material or cluster as it is now, or
 * `ready` after all. A reload begins the state again, because the indices are those of another
 * configuration then. What changes after its state was made is published, and what changes before
 * that stands in the state, so the last answer about each object is always true. */
static int next_state(Connection *connection, ConnectionCursor *cursor, char **ret, void *userdata)
{
        const ManagerOperations *operations = userdata;
        const ClusterStatus *cluster;
        ManagerStatus status;
        size_t index;
        int r;

        operations->schedule(operations->userdata);
        if (connection_is_behind(connection))
                return 1;
        if (cursor->generation != operations->info->generation)
                *cursor = (ConnectionCursor){.generation = operations->info->generation};
        status = operations->status(operations->userdata);
        index = cursor->index++;
        if (index < status.n_materials)
                r = format_event(ret, "state", status.materials[index], NULL, NULL);
        else if (index < status.n_materials + status.n_clusters) {
                cluster = status.clusters[index - status.n_materials];
                r = format_event(
                        ret, "state", NULL, cluster, status.materials[cluster->config->material]);
        } else
                return format_event(ret, "ready", NULL, NULL, NULL);
        return r < 0 ? r : 1;
}

static int answer_subscribe(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        if (call->more)
                connection_stream(connection, next_state, (void *)operations);
        else
                *ret_error = VARLINK_ERROR_EXPECTED_MORE;
        return 0;
}

static int answer_history(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        ManagerStatus status = operations->status(operations->userdata);
        CLEANUP(cluster_request_done) ClusterRequest request;
        int r = cluster_request_make(&request, call, &status, ret, ret_error);

        if (r < 0 || *ret_error)
                return r;
        return history_json_format(ret, &status, request.chosen);
}

static int refuse_not_ready(char **ret, const char **ret_error, const MaterialStatus *material)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        char reason[SUMMARY_TEXT_MAX];

        summary_material_reason(reason, sizeof(reason), material);
        json_open_object(writer);
        json_put_string(writer, "name", material->config->name);
        json_put_string(writer, "state", material_state_to_string(material->state));
        json_put_string(writer, "reason", reason);
        json_close_object(writer);
        *ret_error = INTERFACE_NAME ".MaterialNotReady";
        return json_writer_finish(writer, ret);
}

/* Returns the material that refuses the whole call, before anything is started: that of a named
 * cluster without a good set on disk. Without names a call is refused only if no cluster has
 * one. */
static const MaterialStatus *find_not_ready(
        const ClusterRequest *request, const ManagerStatus *status)
{
        const MaterialStatus *found = NULL;

        for (size_t i = 0; i < status->n_clusters; i++) {
                const ClusterConfig *cluster = status->clusters[i]->config;
                const MaterialStatus *material = status->materials[cluster->material];

                if (!cluster->enabled || !request->chosen[i])
                        continue;
                if (!material_state_is_good(material->state))
                        found = found ? found : material;
                else if (!request->names)
                        return NULL;
        }
        return found;
}

static int answer_import(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        ManagerStatus status = operations->status(operations->userdata);
        CLEANUP(cluster_request_done) ClusterRequest request;
        const MaterialStatus *material;
        int r = cluster_request_make(&request, call, &status, ret, ret_error);

        if (r < 0 || *ret_error)
                return r;
        material = find_not_ready(&request, &status);
        if (material)
                return refuse_not_ready(ret, ret_error, material);
        for (size_t i = 0; i < status.n_clusters; i++)
                if (request.chosen[i])
                        operations->import_now(
                                i, request.names != NULL, request.force, operations->userdata);
        operations->schedule(operations->userdata);
        json_open_object(writer);
        json_key(writer, "started");
        json_open_array(writer);
        for (size_t i = 0; i < status.n_clusters; i++)
                if (request.chosen[i] && status.clusters[i]->state == CLUSTER_IMPORTING)
                        json_string(writer, status.clusters[i]->config->name);
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_finish(writer, ret);
}

static bool is_disabled(const ClusterStatus *cluster, const ManagerOperations *operations, size_t i)
{
        return !cluster->config->enabled;
}

static bool can_remove(const ClusterStatus *cluster, const ManagerOperations *operations, size_t i)
{
        return operations->can_remove(i, operations->userdata);
}

/* Returns the first named cluster that does not keep `rule`, or NULL. */
static const char *find_breach(const ManagerOperations *operations, const ManagerStatus *status,
        const ClusterRequest *request,
        bool (*rule)(const ClusterStatus *cluster, const ManagerOperations *operations, size_t i))
{
        for (size_t i = 0; i < status->n_clusters; i++) {
                const ClusterStatus *cluster = status->clusters[i];

                if (request->chosen[i] && !rule(cluster, operations, i))
                        return cluster->config->name;
        }
        return NULL;
}

static int answer_remove(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        ManagerStatus status = operations->status(operations->userdata);
        CLEANUP(cluster_request_done) ClusterRequest request;
        const char *wrong;
        int r = cluster_request_make(&request, call, &status, ret, ret_error);

        if (r < 0 || *ret_error)
                return r;
        /* Never all by default. */
        if (json_size(request.names) == 0)
                return varlink_refuse(
                        ret, ret_error, VARLINK_ERROR_INVALID_PARAMETER, "parameter", "clusters");
        wrong = find_breach(operations, &status, &request, is_disabled);
        if (wrong)
                return varlink_refuse(
                        ret, ret_error, INTERFACE_NAME ".ClusterEnabled", "name", wrong);
        wrong = find_breach(operations, &status, &request, can_remove);
        if (wrong)
                return varlink_refuse(ret, ret_error, INTERFACE_NAME ".ClusterBusy", "name", wrong);
        for (size_t i = 0; i < status.n_clusters; i++)
                if (request.chosen[i])
                        operations->remove(i, operations->userdata);
        operations->schedule(operations->userdata);
        return 0;
}

static int next_check(Connection *connection, ConnectionCursor *cursor, char **ret, void *userdata)
{
        const CheckOperations *check = userdata;

        return check->next(ret, check->userdata);
}

static void cancel_check(void *userdata)
{
        const CheckOperations *check = userdata;

        check->end(check->userdata);
}

static void on_check_ready(void *userdata)
{
        connection_wake(userdata);
}

static int answer_check_clusters(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        const CheckOperations *check = &operations->check;
        ManagerStatus status = operations->status(operations->userdata);
        CLEANUP(cluster_request_done) ClusterRequest request;
        int r = cluster_request_make(&request, call, &status, ret, ret_error);

        if (r < 0 || *ret_error || call->oneway) /* without an answer it has no effect */
                return r;
        if (!call->more) {
                *ret_error = VARLINK_ERROR_EXPECTED_MORE;
                return 0;
        }
        r = check->start(request.chosen, on_check_ready, connection, check->userdata);
        if (r == 0)
                connection_series(connection, next_check, cancel_check, (void *)check);
        if (r != -EBUSY)
                return r;
        *ret_error = INTERFACE_NAME ".CheckRunning";
        return 0;
}

static int format_problem(char **ret, const ConfigProblem *problem)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        status_json_write_problem(writer, problem);
        return json_writer_finish(writer, ret);
}

static int answer_reload(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        const JsonValue *parameter = json_member(call->parameters, "dry_run");
        ConfigProblem problem = {0};
        bool dry_run = false;
        int r;

        if (parameter && !json_is_null(parameter) && !json_get_boolean(&dry_run, parameter))
                return varlink_refuse(
                        ret, ret_error, VARLINK_ERROR_INVALID_PARAMETER, "parameter", "dry_run");
        if (!dry_run) {
                connection_postpone(connection);
                operations->reload(operations->userdata);
                return 0;
        }
        r = operations->try_reload(&problem, operations->userdata);
        if (r != -EINVAL)
                return r;
        *ret_error = INTERFACE_NAME ".InvalidConfiguration";
        return format_problem(ret, &problem);
}

static int answer_metrics(const ManagerOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret, const char **ret_error)
{
        CLEANUP(freep) char *text = NULL;
        int r = operations->metrics(&text, operations->userdata);

        return r < 0 ? r : varlink_pair_format(ret, "text", text);
}

static const Method methods[] = {
        {"GetStatus", answer_status, false, {NULL}},
        {"GetHistory", answer_history, false, {"clusters", NULL}},
        {"Subscribe", answer_subscribe, false, {NULL}},
        {"Import", answer_import, true, {"clusters", "force", NULL}},
        {"Remove", answer_remove, true, {"clusters", NULL}},
        {"CheckClusters", answer_check_clusters, true, {"clusters", NULL}},
        {"Reload", answer_reload, true, {"dry_run", NULL}},
        {"GetMetrics", answer_metrics, false, {NULL}},
};

int methods_answer(Connection *connection, const VarlinkCall *call, char **ret,
        const char **ret_error, void *userdata)
{
        const ManagerOperations *operations = userdata;

        /* The events before this call may have changed the state: a cluster is no longer current
         * once another set is on disk. */
        operations->schedule(operations->userdata);
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
                const Method *method = &methods[i];
                const char *wrong;

                if (strcmp(method->name, call->method) != 0)
                        continue;
                if (method->privileged && !is_allowed(operations, connection)) {
                        *ret_error = VARLINK_ERROR_PERMISSION_DENIED;
                        return 0;
                }
                wrong = varlink_unknown_parameter(call, method->parameters);
                if (wrong)
                        return varlink_refuse(ret, ret_error, VARLINK_ERROR_INVALID_PARAMETER,
                                "parameter", wrong);
                if (call->oneway && !method->privileged)
                        return 0; /* without an answer it has no effect */
                return method->fn(operations, connection, call, ret, ret_error);
        }
        return varlink_refuse_method(ret, ret_error, call);
}

void methods_answer_reload(Server *server, int r, const ConfigProblem *problem)
{
        CLEANUP(freep) char *text = NULL;

        if (r != -EINVAL) {
                server_answer(server, r, NULL, NULL);
                return;
        }
        r = format_problem(&text, problem);
        server_answer(server, r, text, INTERFACE_NAME ".InvalidConfiguration");
}

void methods_publish(Server *server, const char *event, const MaterialStatus *material,
        const ClusterStatus *cluster, const MaterialStatus *material_of_cluster)
{
        CLEANUP(freep) char *text = NULL;

        if (format_event(&text, event, material, cluster, material_of_cluster) == 0)
                server_publish(server, text);
}
