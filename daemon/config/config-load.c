#include "daemon/config/config-load.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/config/schema.h"
#include "daemon/config/settings.h"

#define DEFAULTS "cluster-defaults"

/* A kind of section. */
typedef struct Kind {
        const char *word;
        bool named;
        const ConfigKeyTable *keys;
} Kind;

static const Kind kinds[] = {
        {"daemon", false, &schema_daemon},
        {"material", true, &schema_material},
        {DEFAULTS, false, &schema_cluster},
        {"cluster", true, &schema_cluster},
};

typedef struct Load {
        const Settings *settings;
        const Section *defaults; /* of clusters; NULL: none */
        ConfigProblem *problem;
} Load;

#define LOAD_PROBLEM(load, place, ...) \
        (config_problem_set((load)->problem, (place)->file, (place)->line, __VA_ARGS__), -EINVAL)

static bool name_is_valid(const char *name)
{
        return isalnum((unsigned char)name[0]) && strlen(name) < CONFIG_NAME_MAX &&
                config_key_is_name(name);
}

/* Returns the kind of a section, and its name or "". */
static const Kind *kind_of(const char *section, const char **ret_name)
{
        size_t length = strcspn(section, " ");

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (strlen(kinds[i].word) == length &&
                        memcmp(kinds[i].word, section, length) == 0) {
                        *ret_name = section[length] == ' ' ? section + length + 1 : "";
                        return &kinds[i];
                }
        return NULL;
}

static int check_sections(const Load *load)
{
        for (size_t i = 0; i < load->settings->n_sections; i++) {
                const Section *section = load->settings->sections[i];
                const char *name;
                const Kind *kind = kind_of(section->name, &name);

                if (!kind || (!kind->named && name[0] != '\0'))
                        return LOAD_PROBLEM(load, section,
                                "unknown section [%s]; allowed: [daemon], [material NAME], "
                                "[cluster-defaults], [cluster NAME]",
                                section->name);
                if (kind->named && !name_is_valid(name))
                        return LOAD_PROBLEM(load, section,
                                "[%s]: a name is 1 to %d letters, digits, dots, dashes and "
                                "underscores and begins with a letter or digit",
                                section->name, CONFIG_NAME_MAX - 1);
        }
        return 0;
}

static int check_keys_of(const Load *load, const Section *section)
{
        const char *name;
        const Kind *kind = kind_of(section->name, &name);
        char allowed[800];

        for (size_t i = 0; i < section->n_settings; i++) {
                const Setting *setting = &section->settings[i];

                if (config_key_find(kind->keys, setting->key))
                        continue;
                if (strstr(setting->key, "pass"))
                        return LOAD_PROBLEM(load, setting,
                                "unknown key %s in [%s]: a password does not belong in the "
                                "configuration; password-credential, password-file and "
                                "password-command name where it is",
                                setting->key, section->name);
                return LOAD_PROBLEM(load, setting, "unknown key %s in [%s]; allowed: %s",
                        setting->key, section->name,
                        config_key_list(allowed, sizeof(allowed), kind->keys));
        }
        return 0;
}

static int check_keys(const Load *load)
{
        int r = 0;

        for (size_t i = 0; i < load->settings->n_sections && r == 0; i++)
                r = check_keys_of(load, load->settings->sections[i]);
        return r;
}

/* A user may have written the password itself as the value of such a key. */
static bool value_is_secret(const ConfigKey *key)
{
        return strstr(key->name, "password-") != NULL;
}

static int load_key(const Load *load, void *object, const ConfigKey *key, const Setting *setting)
{
        if (config_key_parse(object, key, setting->value) == 0)
                return 0;
        if (value_is_secret(key))
                return LOAD_PROBLEM(load, setting, "%s: this is not %s", key->name, key->allowed);
        return LOAD_PROBLEM(
                load, setting, "%s = %s: this is not %s", key->name, setting->value, key->allowed);
}

/* Returns the setting of `section`, else that of `defaults`; both may be NULL. */
static const Setting *find_setting(const Section *section, const Section *defaults, const char *key)
{
        const Setting *setting = section_find(section, key);

        return setting ? setting : section_find(defaults, key);
}

/* A key without a setting gets the default of the table. Every mandatory key has a setting. */
static int load_object(const Load *load, void *object, const ConfigKeyTable *table,
        const Section *section, const Section *defaults)
{
        int r = 0;

        for (size_t i = 0; i < table->n_keys && r == 0; i++) {
                const ConfigKey *key = &table->keys[i];
                const Setting *setting = find_setting(section, defaults, key->name);

                if (setting)
                        r = load_key(load, object, key, setting);
                else
                        r = config_key_set_default(object, key);
        }
        return r;
}

static int resolve_group(const Load *load, const Section *section, Config *config)
{
        struct group *group;

        if (config->control_group[0] == '\0')
                return 0;
        group = getgrnam(config->control_group);
        if (!group)
                return LOAD_PROBLEM(load, section_find(section, "control-group"),
                        "control-group = %s: there is no such group", config->control_group);
        config->control_gid = group->gr_gid;
        return 0;
}

static int load_daemon(const Load *load, Config *config)
{
        const Section *section = settings_find(load->settings, "daemon");
        const Setting *setting;
        int r = load_object(load, config, &schema_daemon, section, NULL);

        if (r < 0)
                return r;
        r = resolve_group(load, section, config);
        if (r < 0 || config->retry_min_usec <= config->retry_max_usec)
                return r;
        setting = section_find(section, "retry-min");
        if (!setting)
                setting = section_find(section, "retry-max");
        return LOAD_PROBLEM(load, setting, "retry-min is longer than retry-max");
}

/* Makes the absolute path of a file. Returns false if it is too long. */
static bool material_resolve(MaterialConfig *material, unsigned file)
{
        bool absolute = material->file[file][0] == '/';
        int n = snprintf(material->path[file], CONFIG_PATH_MAX, "%s%s%s",
                absolute ? "" : material->directory, absolute ? "" : "/", material->file[file]);

        return n >= 0 && n < CONFIG_PATH_MAX;
}

static int material_resolve_all(const Load *load, MaterialConfig *material, const Section *section)
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                const char *key = material_file_to_string((MaterialFile)i);
                const Setting *setting = section_find(section, key);

                if (material_resolve(material, i))
                        continue;
                if (!setting)
                        setting = section_find(section, "directory");
                return LOAD_PROBLEM(load, setting,
                        "%s: the path is longer than %d bytes, with directory before it", key,
                        CONFIG_PATH_MAX - 1);
        }
        return 0;
}

static int load_material(const Load *load, Config *config, const Section *section, const char *name)
{
        MaterialConfig *material;
        int r;

        if (!GROW(config->materials, config->n_materials))
                return -ENOMEM;
        if (config->n_materials >= CONFIG_MATERIALS_MAX)
                return LOAD_PROBLEM(load, section, "more than %d materials", CONFIG_MATERIALS_MAX);
        material = &config->materials[config->n_materials];
        *material = (MaterialConfig){0};
        snprintf(material->name, sizeof(material->name), "%s", name);
        r = load_object(load, material, &schema_material, section, NULL);
        if (r < 0)
                return r;
        config->n_materials++;
        return material_resolve_all(load, material, section);
}

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
        const Setting *probe = find_setting(section, load->defaults, "source-probe");
        const Setting *mode = find_setting(section, load->defaults, "replication");
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
                        return LOAD_PROBLEM(load, find_setting(section, load->defaults, "canary"),
                                "canary = yes in [%s] and in [cluster %s]: material %s has one "
                                "canary at most",
                                section->name, other->name, cluster->material_name);
        }
        return 0;
}

/* Without the replica's status nothing shows that replication failed. */
static int check_replication(const Load *load, const ClusterConfig *cluster, const Section *section)
{
        const Setting *failure = find_setting(section, load->defaults, "on-replication-failure");

        if (cluster->replication != REPLICATION_IGNORE ||
                cluster->on_replication_failure == REPLICATION_FAILURE_REPORT)
                return 0;
        return LOAD_PROBLEM(load, failure,
                "on-replication-failure = rollback has no effect in [%s]: with replication = ignore "
                "the replica's status is not read",
                section->name);
}

static int load_cluster(const Load *load, Config *config, const Section *section, const char *name)
{
        const Setting *reference = find_setting(section, load->defaults, "material");
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

                if (!key->fallback && !find_setting(section, load->defaults, key->name))
                        return LOAD_PROBLEM(load, section, "[%s] lacks the mandatory key %s",
                                section->name, key->name);
        }
        r = load_object(load, cluster, &schema_cluster, section, load->defaults);
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

typedef int (*load_fn)(const Load *load, Config *config, const Section *section, const char *name);

/* Calls `fn` for each section of a kind. */
static int load_sections(const Load *load, Config *config, const char *word, load_fn fn)
{
        int r = 0;

        for (size_t i = 0; i < load->settings->n_sections && r == 0; i++) {
                const Section *section = load->settings->sections[i];
                const char *name;

                if (strcmp(kind_of(section->name, &name)->word, word) == 0)
                        r = fn(load, config, section, name);
        }
        return r;
}

int config_load(Config **ret, const char *path, ConfigProblem *ret_problem)
{
        static const Section no_section = {.name = ""};
        CLEANUP(settings_freep) Settings *settings = NULL;
        CLEANUP(config_freep) Config *config = calloc(1, sizeof(*config));
        Load load = {.problem = ret_problem};
        int r;

        if (!config)
                return -ENOMEM;
        r = settings_load(&settings, path, ret_problem);
        if (r < 0)
                return r;
        load.settings = settings;
        load.defaults = settings_find(settings, DEFAULTS);
        r = check_sections(&load);
        if (r == 0)
                r = check_keys(&load);
        if (r == 0)
                r = load_daemon(&load, config);
        if (r == 0)
                r = load_sections(&load, config, "material", load_material);
        /* Without any section, the default that a cluster without the key material uses. */
        if (r == 0 && config->n_materials == 0)
                r = load_material(&load, config, &no_section, "default");
        if (r == 0)
                r = load_sections(&load, config, "cluster", load_cluster);
        if (r < 0)
                return r;
        if (config->n_clusters == 0) {
                config_problem_set(ret_problem, path, 0,
                        "there is no [cluster NAME] section; at least one is needed");
                return -EINVAL;
        }
        config_choose_canaries(config);
        config->texts = settings_take_texts(settings, &config->n_texts);
        *ret = TAKE(config);
        return 0;
}

int config_load_default_material(
        MaterialConfig *ret, const char *directory, const char *const files[_MATERIAL_FILE_MAX])
{
        const Load load = {0};
        MaterialConfig material = {.name = "default"};
        int r = load_object(&load, &material, &schema_material, NULL, NULL);

        if (r < 0)
                return r;
        material.directory = directory;
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                if (files[i])
                        material.file[i] = files[i];
                if (!material_resolve(&material, i))
                        return -ENAMETOOLONG;
        }
        *ret = material;
        return 0;
}
