#pragma once

/*
 * Settings: reads the configuration files into sections of keys and values, each with its file and
 * line.
 *
 * Reads FILE, then FILE.d/\*.conf in the order of their names; a later file overrides single keys.
 * This module implements syntax (binlog-ssld.conf(5)) and merging; the keys are those of
 * daemon/config/schema.h. It refuses everything that would be ignored: the same section or key
 * twice in one file, a line that is none, a file that cannot be read.
 *
 * It splits the lines itself. libinih of Debian is built for lines of 198 characters, passes each
 * line of a continued value as a value of its own, and reports neither line numbers nor a section
 * without keys. libini-config has no comments after a value, ends a value at a NUL byte and ignores
 * case; iniparser is built for lines of 1024 characters and lets the second of two equal keys win,
 * as GLib's GKeyFile does, which merges equal sections, too, and continues no value. What each
 * leaves to its caller is more than splitting a line at '='.
 */

#include <stddef.h>

#include "common/macro.h"
#include "daemon/config/config.h"

#define SETTINGS_FILE_LIMIT (1024 * 1024)
#define SETTINGS_KEYS_MAX   64 /* of a section; section_find() searches them one by one */

typedef struct Setting {
        const char *key;
        char *value;
        const char *file;
        unsigned line; /* of the key; its value may go on in the next lines */
} Setting;

typedef struct Section {
        const char *name;             /* "cluster orders": kind, one space, name */
        const char *file, *last_file; /* the first and the last file that has it */
        unsigned line;                /* in the first */
        Setting *settings;            /* of all files, each key once: that of the last file */
        size_t n_settings;
} Section;

typedef struct Settings {
        Section **sections; /* in the order of their first occurrence */
        size_t n_sections;
        void *index;  /* the sections by name: a tree of tsearch(3) */
        char **texts; /* names and contents of the files, which everything else points into */
        size_t n_texts;
} Settings;

/* -EINVAL: the first error is in `ret_problem`. -ENOMEM, -EMFILE, -ENFILE, -EIO: of the machine. */
int settings_load(Settings **ret, const char *path, ConfigProblem *ret_problem);
Settings *settings_free(Settings *settings);
DEFINE_CLEANUP(Settings *, settings_free);

/* Returns the texts, which then outlive the settings: they are the values of the keys. */
char **settings_take_texts(Settings *settings, size_t *ret_n);

/* Returns NULL if no file has the section. */
Section *settings_find(const Settings *settings, const char *name);

/* Returns NULL if the section is NULL or does not have the key. */
Setting *section_find(const Section *section, const char *key);
