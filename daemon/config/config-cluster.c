#include "daemon/config/config-cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/config/schema.h"

static size_t find_material(const Config *config, const char *name)
{
        for (size_t i = 0; i < config->n_materials; i++)
                if (strcmp(config->materials[i].name, name) == 0)
                        return i;
        return SIZE_MAX;
}

/* Keeps one place of a login's password. Two in one section contradict each other; one in the
 * section of the cluster replaces those in the defaults. */
static int choose_password(
        const Load *load, LoginConfig *login, const Section *section, const char *prefix)
{
        const char **const values[] = {
                &login->password.credential, &login->password.file, &login->password.command};
        static const char *const names[] = {"credential", "file", "command"};
        const Section *const places[] = {section, load->defaults};
        size_t chosen = SIZE_MAX;

        for (size_t p = 0; p < ARRAY_SIZE(places) && chosen == SIZE_MAX; p++)
                for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                        const Setting *setting;
                        char key[64];

                        snprintf(key, sizeof(key), "%spassword-%s", prefix, names[i]);
                        setting = section_find(places[p], key);
                        if (setting && chosen != SIZE_MAX)
                                return LOAD_PROBLEM(load, setting,
                                        "%s and %spassword-%s are both set in [%s]; only one of "
                                        "them can take effect",
                                        key, prefix, names[chosen], places[p]->name);
                        if (setting)
                                chosen = i;
                }
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (i != chosen)
                        *values[i] = "";
        return 0;
}

static int load_login(const Load *load, LoginConfig *login, const Section *section)
{
        int r = choose_password(load, login, section, "");

        if (r == 0 && !login_config_has_password(login))
                return LOAD_PROBLEM(load, section,
                        "[%s] lacks a password: password-credential, password-file or "
                        "password-command",
                        section->name);
        return r;
}

/* Without the replica's status the source is known from the keys only. */
static int load_source(const Load *load, ClusterConfig *cluster, const Section *section)
{
        const Setting *probe = config_section_find(section, load->defaults, "source-probe");
        const Setting *mode = config_section_find(section, load->defaults, "replication");
        const Setting *field = section_find(section, "source-password-field");
        LoginConfig *source = &cluster->source;
        int r = choose_password(load, source, section, "source-");

        if (r < 0)
                return r;
        if (field && source->password.field[0] != '\0' && !login_config_has_password(source))
                return LOAD_PROBLEM(load, field,
                        "source-password-field has no effect: [%s] has no "
                        "source-password-credential, source-password-file or "
                        "source-password-command",
                        section->name);
        if (cluster->replication == REPLICATION_REPOINT && !login_config_has_password(source))
                return LOAD_PROBLEM(load, mode,
                        "replication = repoint needs the password of the replication user in [%s]: "
                        "source-password-credential, source-password-file or "
                        "source-password-command",
                        section->name);
        if (cluster->source_probe == SOURCE_PROBE_OFF || cluster->replication != REPLICATION_IGNORE)
                return 0;
        if (source->host[0] == '\0')
                return LOAD_PROBLEM(load, probe,
                        "source-probe needs source-host in [%s]: with replication = ignore the "
                        "replica's status is not read",
                        section->name);
        if (source->user[0] == '\0' && login_config_has_password(source))
                return LOAD_PROBLEM(load, probe,
                        "the password of the source needs source-user in [%s]: with replication = "
                        "ignore the replica's status is not read",
                        section->name);
        return 0;
}

static int check_canary(const Load *load, const Config *config, const Section *section,
        const ClusterConfig *cluster)
{
        for (size_t i = 0; i < config->n_clusters && cluster->canary; i++) {
                const ClusterConfig *other = &config->clusters[i];

                if (other->canary && other->material == cluster->material)
                        return LOAD_PROBLEM(load,
                                config_section_find(section, load->defaults, "canary"),
                                "canary = yes in [%s] and in [cluster %s]: material %s has one "
                                "canary at most",
                                section->name, other->name, cluster->material_name);
        }
        return 0;
}

/* Without the replica's status nothing shows that replication failed. */
static int check_replication(const Load *load, const ClusterConfig *cluster, const Section *section)
{
        const Setting *failure =
                config_section_find(section, load->defaults, "on-replication-failure");

        if (cluster->replication != REPLICATION_IGNORE ||
                cluster->on_replication_failure == REPLICATION_FAILURE_REPORT)
                return 0;
        return LOAD_PROBLEM(load, failure,
                "on-replication-failure = rollback has no effect in [%s]: with replication = ignore "
                "the replica's status is not read",
                section->name);
}

int config_cluster_load(const Load *load, Config *config, const Section *section, const char *name)
{
        const Setting *reference = config_section_find(section, load->defaults, "material");
        ClusterConfig *cluster;
        int r;

        if (!GROW(config->clusters, config->n_clusters))
                return -ENOMEM;
        if (config->n_clusters >= CONFIG_CLUSTERS_MAX)
                return LOAD_PROBLEM(load, section, "more than %d clusters", CONFIG_CLUSTERS_MAX);
        cluster = &config->clusters[config->n_clusters];
        *cluster = (ClusterConfig){0};
        snprintf(cluster->name, sizeof(cluster->name), "%s", name);
        for (size_t i = 0; i < schema_cluster.n_keys; i++) {
                const ConfigKey *key = &schema_cluster.keys[i];

                if (!key->fallback && !config_section_find(section, load->defaults, key->name))
                        return LOAD_PROBLEM(load, section, "[%s] lacks the mandatory key %s",
                                section->name, key->name);
        }
        r = config_section_load(load, cluster, &schema_cluster, section, load->defaults);
        if (r == 0)
                r = load_login(load, &cluster->login, section);
        if (r == 0)
                r = load_source(load, cluster, section);
        if (r == 0)
                r = check_replication(load, cluster, section);
        if (r < 0)
                return r;
        cluster->material = find_material(config, reference ? reference->value : "default");
        if (cluster->material == SIZE_MAX && reference)
                return LOAD_PROBLEM(load, reference, "material = %s: there is no [material %s]",
                        reference->value, reference->value);
        if (cluster->material == SIZE_MAX)
                return LOAD_PROBLEM(load, section,
                        "[%s] needs material = NAME: there is no [material default]",
                        section->name);
        text_set(cluster->material_name, sizeof(cluster->material_name),
                config->materials[cluster->material].name);
        r = check_canary(load, config, section, cluster);
        if (r == 0)
                config->n_clusters++;
        return r;
}
