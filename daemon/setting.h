#pragma once

/*
 * Settings: the configuration files as a flat list of (section, key, value) with the place each
 * came from. It knows the syntax and the merging, and no key at all; daemon/config.h gives them
 * their meaning.
 *
 * Reads FILE, then FILE.d/\*.conf in name order; a later file wins key by key. libinih parses. It
 * cuts lines beyond 198 characters and section names beyond 49 without a word; here both are
 * errors, as is everything else that would be ignored: the same section or key twice in one file,
 * a line that is neither, a file that cannot be read.
 */

#include <stddef.h>

#include "common/macro.h"

#define SETTING_VALUE_MAX   200
#define SETTING_SECTION_MAX 50
#define SETTING_FILE_LIMIT  (1024 * 1024)

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

typedef struct SettingList SettingList;

/* Where a configuration is wrong, and what would be right. */
typedef struct ConfigProblem {
        char file[4096];
        unsigned line; /* 0: the file as a whole */
        char text[512];
} ConfigProblem;

void config_problem_set(ConfigProblem *problem, const char *file, unsigned line, const char *format,
        ...) PRINTF(4, 5);

/* -EINVAL: what stands in `ret_problem`. */
int setting_list_load(SettingList **ret, const char *path, ConfigProblem *ret_problem);
SettingList *setting_list_free(SettingList *list);
DEFINE_CLEANUP(SettingList *, setting_list_free);

/* In the order of their first appearance. */
size_t setting_list_n_sections(const SettingList *list);
const Section *setting_list_section(const SettingList *list, size_t index);
size_t setting_list_size(const SettingList *list);
const Setting *setting_list_at(const SettingList *list, size_t index);

/* NULL: not set anywhere. */
const Setting *setting_list_find(const SettingList *list, const char *section, const char *key);
