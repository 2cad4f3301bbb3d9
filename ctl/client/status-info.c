#include "ctl/client/status-info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/text.h"
#include "common/varlink.h"
#include "ctl/client/error-message.h"
#include "ctl/client/varlink-client.h"

#define TEXT(buffer, object, key) json_get_text(buffer, sizeof(buffer), object, key)

static uint64_t number(const JsonValue *object, const char *key)
{
        int64_t value = 0;

        return json_get_integer(&value, json_member(object, key)) && value > 0 ? (uint64_t)value
                                                                               : 0;
}

static Tristate tristate(const JsonValue *object, const char *key)
{
        bool value;

        if (!json_get_boolean(&value, json_member(object, key)))
                return TRISTATE_UNKNOWN;
        return value ? TRISTATE_YES : TRISTATE_NO;
}

/* Returns the index of a word among `n` names, or `n`. */
static unsigned index_of(const char *word, unsigned n, const char *(*name_at)(unsigned))
{
        unsigned i = 0;

        while (i < n && strcmp(name_at(i), word) != 0)
                i++;
        return i;
}

static const char *material_state_at(unsigned i)
{
        return material_state_to_string((MaterialState)i);
}

static const char *cluster_state_at(unsigned i)
{
        return cluster_state_to_string((ClusterState)i);
}

static const char *wave_state_at(unsigned i)
{
        return wave_state_to_string((WaveState)i);
}

static const char *health_at(unsigned i)
{
        return health_to_string((Health)i);
}

static const char *file_at(unsigned i)
{
        return material_file_to_string((MaterialFile)i);
}

static Health health_of(const JsonValue *object)
{
        char word[STATUS_INFO_WORD_MAX];

        TEXT(word, object, "health");
        return (Health)index_of(word, _HEALTH_MAX, health_at);
}

static void read_problem(Problem *ret, const JsonValue *value)
{
        char file[STATUS_INFO_WORD_MAX], rule[64], severity[STATUS_INFO_WORD_MAX],
                text[PROBLEM_TEXT_MAX];

        TEXT(file, value, "file");
        TEXT(rule, value, "rule");
        TEXT(severity, value, "severity");
        TEXT(text, value, "text");
        ret->file = (MaterialFile)index_of(file, _MATERIAL_FILE_MAX, file_at);
        ret->severity = strcmp(severity, "warning") == 0 ? SEVERITY_WARNING : SEVERITY_ERROR;
        if (rule_from_string(&ret->rule, rule) == 0)
                text_set(ret->text, sizeof(ret->text), text);
        else {
                ret->rule = _RULE_MAX;
                text_format(ret->text, sizeof(ret->text), "%s: %s", rule, text);
        }
}

static void read_certificate(Certificate *ret, const JsonValue *value)
{
        TEXT(ret->subject, value, "subject");
        TEXT(ret->issuer, value, "issuer");
        TEXT(ret->serial, value, "serial");
        TEXT(ret->sha256, value, "sha256");
        TEXT(ret->key_type, value, "key_type");
        ret->key_bits = (unsigned)number(value, "key_bits");
        ret->not_before_usec = number(value, "not_before");
        ret->not_after_usec = number(value, "not_after");
}

static void read_rollout(RolloutInfo *ret, const JsonValue *value)
{
        char state[STATUS_INFO_WORD_MAX];

        TEXT(ret->canary, value, "canary");
        TEXT(state, value, "state");
        TEXT(ret->reason, value, "reason");
        ret->state = (WaveState)index_of(state, _WAVE_STATE_MAX, wave_state_at);
        ret->until_usec = number(value, "until");
        ret->n_waiting = number(value, "waiting");
}

static int read_material(MaterialInfo *ret, const JsonValue *value)
{
        const JsonValue *problems = json_member(value, "problems");

        TEXT(ret->name, value, "name");
        TEXT(ret->state_text, value, "state");
        if (ret->name[0] == '\0' || ret->state_text[0] == '\0')
                return -EBADMSG;
        ret->state =
                (MaterialState)index_of(ret->state_text, _MATERIAL_STATE_MAX, material_state_at);
        ret->health = health_of(value);
        TEXT(ret->directory, value, "directory");
        TEXT(ret->reason, value, "reason");
        TEXT(ret->next_step, value, "next_step");
        TEXT(ret->fingerprint, value, "fingerprint");
        TEXT(ret->watch, value, "watch");
        ret->since_usec = number(value, "since");
        ret->not_responding_since_usec = number(value, "not_responding_since");
        ret->missed_events = number(value, "missed_events");
        ret->last_check_usec = number(value, "last_check");
        ret->last_change_usec = number(value, "last_change");
        ret->has_certificate = json_is_object(json_member(value, "certificate"));
        read_rollout(&ret->rollout, json_member(value, "rollout"));
        read_certificate(&ret->certificate, json_member(value, "certificate"));
        for (size_t i = 0; i < json_size(problems) && i < REPORT_PROBLEMS_MAX; i++)
                read_problem(&ret->problems[ret->n_problems++], json_element(problems, i));
        return json_format(&ret->json, value);
}

static void read_replication(Replication *ret, const JsonValue *value)
{
        char source[REPLICATION_SOURCE_MAX];
        int64_t lag;

        ret->known = json_is_object(value);
        ret->configured = tristate(value, "configured") == TRISTATE_YES;
        TEXT(ret->io_running, value, "io_running");
        TEXT(ret->sql_running, value, "sql_running");
        ret->tls = tristate(value, "tls");
        ret->io_errno = (unsigned)number(value, "io_errno");
        TEXT(ret->io_error, value, "io_error");
        ret->sql_errno = (unsigned)number(value, "sql_errno");
        TEXT(ret->sql_error, value, "sql_error");
        ret->lag_known = json_get_integer(&lag, json_member(value, "lag")) && lag >= 0;
        ret->lag_sec = ret->lag_known ? (uint64_t)lag : 0;
        TEXT(source, value, "source");
        replication_parse_source(ret, source);
        ret->stopped_by_us = tristate(value, "stopped_by_us") == TRISTATE_YES;
        ret->checked_at_usec = number(value, "checked_at");
}

static void read_removal(RemovalInfo *ret, const JsonValue *value)
{
        ret->known = json_is_object(value);
        ret->running = tristate(value, "running") == TRISTATE_YES;
        TEXT(ret->outcome, value, "outcome");
        TEXT(ret->reason, value, "reason");
        TEXT(ret->next_step, value, "next_step");
}

static int read_cluster(ClusterInfo *ret, const JsonValue *value)
{
        char outcome[STATUS_INFO_WORD_MAX];

        TEXT(ret->name, value, "name");
        TEXT(ret->state_text, value, "state");
        if (ret->name[0] == '\0' || ret->state_text[0] == '\0')
                return -EBADMSG;
        ret->state = (ClusterState)index_of(ret->state_text, _CLUSTER_STATE_MAX, cluster_state_at);
        ret->health = health_of(value);
        TEXT(ret->host, value, "host");
        TEXT(ret->material, value, "material");
        TEXT(ret->reason, value, "reason");
        TEXT(ret->next_step, value, "next_step");
        TEXT(ret->imported, value, "imported_fingerprint");
        TEXT(ret->import_warning, value, "import_warning");
        TEXT(outcome, value, "outcome");
        ret->since_usec = number(value, "since");
        ret->out_of_sync_since_usec = number(value, "out_of_sync_since");
        ret->imported_at_usec = number(value, "imported_at");
        ret->last_attempt_usec = number(value, "last_attempt");
        ret->next_attempt_usec = number(value, "next_attempt");
        ret->attempts = number(value, "attempts");
        ret->in_use = tristate(value, "in_use");
        ret->roll_back = tristate(value, "rollback");
        if (outcome_kind_from_string(&ret->outcome, outcome) < 0)
                ret->outcome = _OUTCOME_KIND_MAX;
        read_removal(&ret->removal, json_member(value, "removal"));
        TEXT(ret->replication_mode, value, "replication_mode");
        read_replication(&ret->replication, json_member(value, "replication"));
        return json_format(&ret->json, value);
}

/* Finds the item with that name, or adds a zeroed one at the end. */
static int find_or_add(void **ret, void **items, size_t *n_items, size_t size, const char *name)
{
        size_t n = *n_items;
        char *larger;

        for (size_t i = 0; i < *n_items; i++) {
                *ret = (char *)*items + i * size;
                if (strcmp(*ret, name) == 0)
                        return 0;
        }
        if ((n & (n - 1)) == 0) { /* the room is the next power of two */
                larger = reallocarray(*items, n > 0 ? 2 * n : 1, size);
                if (!larger)
                        return -ENOMEM;
                *items = larger;
        }
        *ret = (char *)*items + n * size;
        memset(*ret, 0, size);
        ++*n_items;
        return 0;
}

/* The changes so far belong to the previous set of the material. */
static void forget_changes(StatusInfo *info, const char *material)
{
        for (size_t i = 0; i < info->n_clusters; i++)
                if (strcmp(info->clusters[i].material, material) == 0)
                        info->clusters[i].changed = false;
}

int status_info_put_material(StatusInfo *info, const JsonValue *value, bool changed)
{
        MaterialInfo *fresh = calloc(1, sizeof(*fresh));
        void *at = NULL;
        int r = fresh ? read_material(fresh, value) : -ENOMEM;

        _Static_assert(offsetof(MaterialInfo, name) == 0, "find_or_add() compares names");
        if (r == 0)
                r = find_or_add(&at, (void **)&info->materials, &info->n_materials, sizeof(*fresh),
                        fresh->name);
        if (r == 0) {
                MaterialInfo *old = at;

                if (strcmp(old->fingerprint, fresh->fingerprint) != 0)
                        forget_changes(info, fresh->name);
                fresh->changed = old->changed ||
                        (changed &&
                                (strcmp(old->state_text, fresh->state_text) != 0 ||
                                        strcmp(old->fingerprint, fresh->fingerprint) != 0));
                free(old->json);
                *old = *fresh;
        } else if (fresh)
                free(fresh->json);
        free(fresh);
        return r;
}

int status_info_put_cluster(StatusInfo *info, const JsonValue *value, bool changed)
{
        ClusterInfo fresh = {0};
        void *at = NULL;
        int r = read_cluster(&fresh, value);

        _Static_assert(offsetof(ClusterInfo, name) == 0, "find_or_add() compares names");
        if (r == 0)
                r = find_or_add(&at, (void **)&info->clusters, &info->n_clusters, sizeof(fresh),
                        fresh.name);
        if (r == 0) {
                ClusterInfo *old = at;

                fresh.changed =
                        old->changed || (changed && strcmp(old->state_text, fresh.state_text) != 0);
                fresh.repeated = changed && strcmp(old->state_text, fresh.state_text) == 0 &&
                        strcmp(old->reason, fresh.reason) == 0 &&
                        old->imported_at_usec == fresh.imported_at_usec;
                free(old->json);
                *old = fresh;
        } else
                free(fresh.json);
        return r;
}

void status_info_remove_material(StatusInfo *info, const char *name)
{
        MaterialInfo *found = (MaterialInfo *)status_info_material(info, name);

        if (!found)
                return;
        free(found->json);
        *found = info->materials[--info->n_materials];
}

void status_info_remove_cluster(StatusInfo *info, const char *name)
{
        ClusterInfo *found = (ClusterInfo *)status_info_cluster(info, name);

        if (!found)
                return;
        free(found->json);
        *found = info->clusters[--info->n_clusters];
}

const MaterialInfo *status_info_material(const StatusInfo *info, const char *name)
{
        for (size_t i = 0; i < info->n_materials; i++)
                if (strcmp(info->materials[i].name, name) == 0)
                        return &info->materials[i];
        return NULL;
}

const ClusterInfo *status_info_cluster(const StatusInfo *info, const char *name)
{
        for (size_t i = 0; i < info->n_clusters; i++)
                if (strcmp(info->clusters[i].name, name) == 0)
                        return &info->clusters[i];
        return NULL;
}

int status_info_load(StatusInfo *ret, const JsonValue *status)
{
        CLEANUP(status_info_done) StatusInfo info = STATUS_INFO_NULL;
        const JsonValue *materials = json_member(status, "materials");
        const JsonValue *clusters = json_member(status, "clusters");
        int r = json_is_array(materials) && json_is_array(clusters) ? 0 : -EBADMSG;

        TEXT(info.summary, status, "summary");
        if (json_is_object(json_member(status, "refused")))
                error_message_describe_problem(info.refused, json_member(status, "refused"));
        info.health = health_of(status);
        info.pid = (int64_t)number(status, "pid");
        for (size_t i = 0; r == 0 && i < json_size(materials); i++)
                r = status_info_put_material(&info, json_element(materials, i), false);
        for (size_t i = 0; r == 0 && i < json_size(clusters); i++)
                r = status_info_put_cluster(&info, json_element(clusters, i), false);
        if (r < 0)
                return r;
        *ret = info;
        info = STATUS_INFO_NULL;
        return 0;
}

void status_info_done(StatusInfo *info)
{
        for (size_t i = 0; i < info->n_materials; i++)
                free(info->materials[i].json);
        for (size_t i = 0; i < info->n_clusters; i++)
                free(info->clusters[i].json);
        free(info->materials);
        free(info->clusters);
        *info = STATUS_INFO_NULL;
}

/* The JSON does not contain the set of the last attempt. A current cluster has a reason only if
 * something is wrong with it. */
bool status_info_import_failed(const ClusterInfo *cluster)
{
        return cluster_reimport_failed(
                cluster->state, cluster->outcome, cluster->reason[0] != '\0');
}

Health status_info_health(const StatusInfo *info, const ClusterInfo *cluster)
{
        const MaterialInfo *material = status_info_material(info, cluster->material);

        if (cluster->state == CLUSTER_DISABLED || !material)
                return cluster->health;
        return material->health > cluster->health ? material->health : cluster->health;
}

int status_info_fetch(VarlinkReply *ret, StatusInfo *ret_info, const char *socket)
{
        int r = varlink_client_call(ret, socket, "GetStatus", NULL, false);

        if (r != EXIT_SUCCESS)
                return EXIT_UNREACHABLE;
        r = status_info_load(ret_info, ret->parameters);
        return r < 0 ? error_message_unreachable(socket, r) : EXIT_SUCCESS;
}
