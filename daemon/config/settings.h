#pragma once

/*
 * Settings: reads the configuration files into a list of section, key and value, each with its file
 * and line.
 *
 * Reads FILE, then FILE.d/\*.conf in the order of their names; a later file overrides single keys.
 * This module implements syntax and merging; the keys are those of daemon/config/schema.h. libinih
 * parses. The library silently cuts lines at 198 characters and section names at 49; this module
 * refuses both, and everything else that would be ignored: the same section or key twice in one
 * file, a line that is neither, a file that cannot be read.
 */

#include <stddef.h>

#include "common/macro.h"
#include "daemon/config/config.h"

#define SETTINGS_SECTION_MAX 50
#define SETTINGS_FILE_LIMIT  (1024 * 1024)

typedef struct Setting {
        char *section; /* "cluster orders": kind, one space, name */
        char *key;
        char *value;
        const char *file; /* owned by the Settings */
        unsigned line;
} Setting;

/* The first occurrence of a section; its keys may come from several files. */
typedef struct Section {
        char *name;
        const char *file, *last_file; /* the first and the last file that has it */
        unsigned line;                /* of the first */
} Section;

/* Sections have the order of their first occurrence, items the order of the files. */
typedef struct Settings {
        Setting *items;
        size_t n_items;
        Section *sections;
        size_t n_sections;
        char **files; /* their names, which items and sections borrow */
        size_t n_files;
} Settings;

/* -EINVAL: the first error is in `ret_problem`. -ENOMEM. */
int settings_load(Settings **ret, const char *path, ConfigProblem *ret_problem);
Settings *settings_free(Settings *settings);
DEFINE_CLEANUP(Settings *, settings_free);

/* Returns the setting of the last file that has it, or NULL. */
const Setting *settings_find(const Settings *settings, const char *section, const char *key);
