#pragma once

/*
 * Load: settings become the configuration.
 *
 * Nothing is ever ignored: an unknown section or key, a value out of range, a missing mandatory
 * key and a key without effect are each a ConfigProblem that names file, line, key and what is
 * allowed.
 */

#include "daemon/config/config.h"

/* -EINVAL: what stands in `ret_problem`; -ENOMEM. */
int config_load(Config **ret, const char *path, ConfigProblem *ret_problem);

/* A material as it is without configuration, in `directory`; `files` replaces the names that are
 * not NULL there. -ENAMETOOLONG. */
int config_load_default_material(
        MaterialConfig *ret, const char *directory, const char *const files[_MATERIAL_FILE_MAX]);
