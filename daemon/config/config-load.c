#include "daemon/config/config-load.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/config/config-cluster.h"
#include "daemon/config/config-section.h"
#include "daemon/config/schema.h"

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
        int r = config_section_load(load, config, &schema_daemon, section, NULL);

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

/* No certificate is a CA and a client's at once. A key may stand in the file of either. */
static int check_material_paths(
        const Load *load, const MaterialConfig *material, const Section *section)
{
        const Setting *setting = section_find(section, "cert");

        if (strcmp(material->path[MATERIAL_CA], material->path[MATERIAL_CERT]) != 0)
                return 0;
        return LOAD_PROBLEM(load, setting ? setting : section_find(section, "ca"),
                "[%s]: ca and cert are the same file, %s; no set with it can be valid",
                section->name, material->path[MATERIAL_CA]);
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
        r = config_section_load(load, material, &schema_material, section, NULL);
        if (r < 0)
                return r;
        config->n_materials++;
        r = material_resolve_all(load, material, section);
        return r < 0 ? r : check_material_paths(load, material, section);
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
        CLEANUP(config_unrefp) Config *config = calloc(1, sizeof(*config));
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
                r = load_sections(&load, config, "cluster", config_cluster_load);
        if (r < 0)
                return r;
        if (config->n_clusters == 0) {
                config_problem_set(ret_problem, path, 0,
                        "there is no [cluster NAME] section; at least one is needed");
                return -EINVAL;
        }
        config_choose_canaries(config);
        r = config_find_twins(config);
        if (r < 0)
                return r;
        config->texts = settings_take_texts(settings, &config->n_texts);
        *ret = TAKE(config);
        return 0;
}

int config_load_default_material(
        MaterialConfig *ret, const char *directory, const char *const files[_MATERIAL_FILE_MAX])
{
        const Load load = {0};
        MaterialConfig material = {.name = "default"};
        int r = config_section_load(&load, &material, &schema_material, NULL, NULL);

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
