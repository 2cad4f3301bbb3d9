#include "daemon/config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

const char *const auth_plugin_names[_AUTH_PLUGIN_MAX + 1] = {
        [AUTH_PLUGIN_NATIVE] = "mysql_native_password",
        [AUTH_PLUGIN_SHA2] = "caching_sha2_password",
        [AUTH_PLUGIN_ED25519] = "client_ed25519",
};

const char *const newlines_names[_NEWLINES_MAX + 1] = {
        [NEWLINES_AUTO] = "auto",
        [NEWLINES_RAW] = "raw",
        [NEWLINES_ESCAPED] = "escaped",
};

const char *const replication_mode_names[_REPLICATION_MODE_MAX + 1] = {
        [REPLICATION_IGNORE] = "ignore",
        [REPLICATION_OBSERVE] = "observe",
        [REPLICATION_RESTART] = "restart",
        [REPLICATION_REPOINT] = "repoint",
};

const char *const source_probe_names[_SOURCE_PROBE_MAX + 1] = {
        [SOURCE_PROBE_OFF] = "off",
        [SOURCE_PROBE_TRY] = "try",
        [SOURCE_PROBE_REQUIRE] = "require",
};

const char *const replication_failure_names[_REPLICATION_FAILURE_MAX + 1] = {
        [REPLICATION_FAILURE_REPORT] = "report",
        [REPLICATION_FAILURE_ROLLBACK] = "rollback",
};

Config *config_ref(Config *config)
{
        config->n_refs++;
        return config;
}

Config *config_unref(Config *config)
{
        if (!config || config->n_refs-- > 0)
                return NULL;
        for (size_t i = 0; i < config->n_texts; i++)
                free(config->texts[i]);
        free(config->texts);
        free(config->materials);
        free(config->clusters);
        free(config);
        return NULL;
}

static bool is_preferred(const ClusterConfig *cluster, const ClusterConfig *other)
{
        return cluster->canary != other->canary ? cluster->canary
                                                : strcmp(cluster->name, other->name) < 0;
}

void config_choose_canaries(Config *config)
{
        for (size_t i = 0; i < config->n_materials; i++)
                config->materials[i].canary = SIZE_MAX;
        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];
                size_t *canary = &config->materials[cluster->material].canary;

                if (cluster->enabled &&
                        (*canary == SIZE_MAX || is_preferred(cluster, &config->clusters[*canary])))
                        *canary = i;
        }
}

static int compare_servers(const void *a, const void *b)
{
        const LoginConfig *one = &(*(ClusterConfig *const *)a)->login,
                          *other = &(*(ClusterConfig *const *)b)->login;
        int order = strcasecmp(one->host, other->host);

        return order != 0 ? order : (one->port > other->port) - (one->port < other->port);
}

int config_find_twins(Config *config)
{
        CLEANUP(freep) ClusterConfig **sorted = calloc(config->n_clusters, sizeof(*sorted));
        size_t n = 0;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < config->n_clusters; i++) {
                config->clusters[i].twin = NULL;
                if (config->clusters[i].enabled)
                        sorted[n++] = &config->clusters[i];
        }
        qsort(sorted, n, sizeof(*sorted), compare_servers);
        for (size_t i = 1; i < n; i++)
                if (compare_servers(&sorted[i - 1], &sorted[i]) == 0) {
                        sorted[i]->twin = sorted[i - 1]->name;
                        if (!sorted[i - 1]->twin)
                                sorted[i - 1]->twin = sorted[i]->name;
                }
        return 0;
}

void config_list_plugins(const ClusterConfig *cluster, char list[CONFIG_PLUGINS_MAX])
{
        size_t used = 0;

        list[0] = '\0';
        for (unsigned i = 0; i <= _AUTH_PLUGIN_MAX; i++) {
                bool allowed = i < _AUTH_PLUGIN_MAX ? cluster->auth_plugins & 1U << i
                                                    : cluster->cleartext_password;

                if (allowed)
                        used += (size_t)snprintf(list + used, CONFIG_PLUGINS_MAX - used, "%s%s",
                                used > 0 ? "," : "",
                                i < _AUTH_PLUGIN_MAX ? auth_plugin_names[i]
                                                     : "mysql_clear_password");
        }
}

const char *material_file_to_string(MaterialFile file)
{
        static const char *const names[_MATERIAL_FILE_MAX] = {
                [MATERIAL_CA] = "ca",
                [MATERIAL_CERT] = "cert",
                [MATERIAL_KEY] = "key",
        };

        return (unsigned)file < _MATERIAL_FILE_MAX ? names[file] : "";
}

const char *newlines_to_string(Newlines newlines)
{
        return (unsigned)newlines < _NEWLINES_MAX ? newlines_names[newlines] : "";
}

int newlines_from_string(Newlines *ret, const char *name)
{
        int index = text_index(newlines_names, name);

        if (index < 0)
                return -EINVAL;
        *ret = (Newlines)index;
        return 0;
}

const char *replication_mode_to_string(ReplicationMode mode)
{
        return (unsigned)mode < _REPLICATION_MODE_MAX ? replication_mode_names[mode] : "";
}

bool replication_mode_restarts(ReplicationMode mode)
{
        return mode == REPLICATION_RESTART || mode == REPLICATION_REPOINT;
}

int replication_mode_from_string(ReplicationMode *ret, const char *name)
{
        int index = text_index(replication_mode_names, name);

        if (index < 0)
                return -EINVAL;
        *ret = (ReplicationMode)index;
        return 0;
}

bool login_config_has_password(const LoginConfig *login)
{
        return login->password.credential[0] != '\0' || login->password.file[0] != '\0' ||
                login->password.command[0] != '\0';
}

void config_problem_set(
        ConfigProblem *problem, const char *file, unsigned line, const char *format, ...)
{
        va_list arguments;

        *problem = (ConfigProblem){.line = line};
        text_set(problem->file, sizeof(problem->file), file);
        va_start(arguments, format);
        text_vformat(problem->text, sizeof(problem->text), format, arguments);
        va_end(arguments);
}

void config_problem_format(char buffer[static CONFIG_PROBLEM_SIZE], const ConfigProblem *problem)
{
        char line[16] = "";

        if (problem->line > 0)
                snprintf(line, sizeof(line), ":%u", problem->line);
        snprintf(buffer, CONFIG_PROBLEM_SIZE, "%s%s: %s", problem->file, line, problem->text);
}
