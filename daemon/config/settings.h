#pragma once

/*
 * Settings: the configuration files as a flat list of (section, key, value) with the place each
 * came from. It knows the syntax and the merging, and no key at all; daemon/config/config.h gives them
 * their meaning.
 *
 * Reads FILE, then FILE.d/\*.conf in name order; a later file wins key by key. libinih parses. It
 * cuts lines beyond 198 characters and section names beyond 49 without a word; here both are
 * errors, as is everything else that would be ignored: the same section or key twice in one file,
 * a line that is neither, a file that cannot be read.
 */

#include <stddef.h>

#include "common/macro.h"
#include "daemon/config/config.h"

#define SETTINGS_SECTION_MAX 50
#define SETTINGS_FILE_LIMIT  (1024 * 1024)

typedef struct Setting {
        char *section; /* "cluster orders": kind, one blank, name */
        char *key;
        char *value;
        const char *file; /* owned by the list */
        unsigned line;
} Setting;

/* A section as it was first seen; its keys may come from several files. */
typedef struct Section {
        char *name;
        const char *file;
        unsigned line;
} Section;

typedef struct Settings Settings;

/* -EINVAL: what stands in `ret_problem`. */
int settings_load(Settings **ret, const char *path, ConfigProblem *ret_problem);
Settings *settings_free(Settings *list);
DEFINE_CLEANUP(Settings *, settings_free);

/* In the order of their first appearance. */
size_t settings_n_sections(const Settings *list);
const Section *settings_section(const Settings *list, size_t index);
size_t settings_size(const Settings *list);
const Setting *settings_at(const Settings *list, size_t index);

/* NULL: not set anywhere. */
const Setting *settings_find(const Settings *list, const char *section, const char *key);
