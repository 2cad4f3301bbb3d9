#pragma once

/*
 * Configuration key: a row of a table with the name, default, type and range of one key.
 *
 * config_key_parse() reads a text into the member of the struct that the table describes.
 * daemon/config/schema.h has the tables.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config/config.h"

typedef enum ConfigKeyKind {
        CONFIG_KEY_PATH,      /* absolute; a directory is possible */
        CONFIG_KEY_FILE,      /* absolute, and of no directory */
        CONFIG_KEY_FILE_NAME, /* the same, or relative */
        CONFIG_KEY_USER,      /* of MySQL */
        CONFIG_KEY_TABLE,     /* schema.table, or off, stored as "" */
        CONFIG_KEY_FIELD,     /* any text that is not empty; off is stored as "" */
        CONFIG_KEY_NAME,      /* letters, digits, dot, dash, underscore */
        CONFIG_KEY_HOST,      /* a name, or an address of IPv4 or IPv6 */
        CONFIG_KEY_UNSIGNED,  /* minimum .. maximum */
        CONFIG_KEY_DURATION,  /* minimum .. maximum, in microseconds */
        CONFIG_KEY_DURATIONS, /* a list of durations, separated by blanks */
        CONFIG_KEY_CHOICE,    /* one of `choices`; the value is its index, stored as an int */
        CONFIG_KEY_CHOICES,   /* a list of `choices`, separated by commas; 1u << index of each */
        CONFIG_KEY_BOOLEAN,   /* yes or no, stored as a bool */
        CONFIG_KEY_COMMAND,   /* password_command_parse() accepts it; an absolute path first */
} ConfigKeyKind;

typedef struct ConfigKey {
        const char *name;
        ConfigKeyKind kind;
        size_t offset;              /* of the member; SIZE_MAX: the text is checked, not stored */
        const char *fallback;       /* text of the default; "": unset; NULL: the key is mandatory */
        uint64_t minimum, maximum;  /* inclusive */
        const char *const *choices; /* ends with NULL */
        const char *allowed;        /* completes the message "this is not " */
} ConfigKey;

typedef struct ConfigKeyTable {
        const ConfigKey *keys;
        size_t n_keys;
} ConfigKeyTable;

/* Returns true if the text is 1 to 255 letters, digits, dots, dashes and underscores and does not
 * begin with a dot. A name is that of a file, or of a group or section, which are shorter. */
bool config_key_is_name(const char *text);

/* Returns true if the text can be a host name or an address: no URL, no port behind it, and no name
 * that DNS cannot have (RFC 1035, section 2.3.4; RFC 1123, section 2.1). */
bool config_key_is_host(const char *text);

const ConfigKey *config_key_find(const ConfigKeyTable *table, const char *name);

/* "a, b, c": the names of all keys, for messages. Returns `buffer`. */
const char *config_key_list(char *buffer, size_t size, const ConfigKeyTable *table);

/* A value that is a text is stored as a pointer to it, so it must outlive the object. -EINVAL:
 * it is not `key->allowed`; `object` is unchanged. */
int config_key_parse(void *object, const ConfigKey *key, const char *text);
int config_key_set_default(void *object, const ConfigKey *key);

/* Returns true if every key of the table has the same value in both objects. */
bool config_key_table_equal(const ConfigKeyTable *table, const void *a, const void *b);
