#pragma once

/*
 * Configuration loader: makes the Config from the configuration files.
 *
 * Nothing is ignored: an unknown section or key, a value out of range, a missing mandatory key and
 * a key without effect are refused with a ConfigProblem that names file, line, key and what is
 * allowed.
 */

#include "daemon/config/config.h"

/* -EINVAL: the first error is in `ret_problem`. -ENOMEM, -EMFILE, -ENFILE, -EIO: of the machine. */
int config_load(Config **ret, const char *path, ConfigProblem *ret_problem);

/* Returns a material with the default values in `directory`; names in `files` that are not NULL
 * replace the defaults. Both must outlive the material. -ENAMETOOLONG: a path does not fit. */
int config_load_default_material(
        MaterialConfig *ret, const char *directory, const char *const files[_MATERIAL_FILE_MAX]);
