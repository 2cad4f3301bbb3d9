#pragma once

/*
 * Configuration section: reads the keys of one section into an object, as the tables of
 * daemon/config/schema.h say. An error is a ConfigProblem with file and line.
 */

#include "daemon/config/config-key.h"
#include "daemon/config/config.h"
#include "daemon/config/settings.h"

typedef struct Load {
        const Settings *settings;
        const Section *defaults; /* of clusters; NULL: none */
        ConfigProblem *problem;
} Load;

#define LOAD_PROBLEM(load, place, ...) \
        (config_problem_set((load)->problem, (place)->file, (place)->line, __VA_ARGS__), -EINVAL)

/* Returns the setting of `section`, else that of `defaults`; both may be NULL. */
const Setting *config_section_find(
        const Section *section, const Section *defaults, const char *key);

/* A key without a setting gets the default of the table. Every mandatory key has a setting.
 * -EINVAL: the problem is set; -ENOMEM. */
int config_section_load(const Load *load, void *object, const ConfigKeyTable *table,
        const Section *section, const Section *defaults);
