#pragma once

/*
 * Key: one key of the configuration as a row of a table: its name, what it means when it is absent,
 * how its text becomes a value and what the user is told when it does not. The tables are
 * daemon/config/schema.h's.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config/config.h"

typedef enum ConfigKeyKind {
        CONFIG_KEY_TEXT, /* any text that is not empty; what it must look like is `check`'s business */
        CONFIG_KEY_PATH,      /* absolute */
        CONFIG_KEY_TABLE,     /* schema.table, or off, which is stored as "" */
        CONFIG_KEY_NAME,      /* letters, digits, dot, dash, underscore */
        CONFIG_KEY_UNSIGNED,  /* minimum .. maximum */
        CONFIG_KEY_DURATION,  /* minimum .. maximum, in microseconds */
        CONFIG_KEY_DURATIONS, /* a list of durations, separated by blanks */
        CONFIG_KEY_CHOICE,    /* one of `choices`; the value is its index, stored as an int */
        CONFIG_KEY_CHOICES, /* a list out of `choices`, commas between; 1u << index of each, unsigned */
        CONFIG_KEY_BOOLEAN, /* yes or no, stored as a bool */
        CONFIG_KEY_COMMAND, /* words as in common/words.h, the first an absolute path */
} ConfigKeyKind;

typedef struct ConfigKey {
        const char *name;
        ConfigKeyKind kind;
        size_t offset;              /* of the member in the struct that the table describes */
        const char *fallback;       /* text of the default; NULL: mandatory; "": stays empty */
        uint64_t minimum, maximum;  /* inclusive */
        const char *const *choices; /* ends with NULL */
        const char *allowed;        /* completes "... is not " for the user */
} ConfigKey;

typedef struct ConfigKeyTable {
        const ConfigKey *keys;
        size_t n_keys;
} ConfigKeyTable;

const ConfigKey *config_key_find(const ConfigKeyTable *table, const char *name);

/* "a, b, c": every key of the table, for messages. Returns `buffer`. */
const char *config_key_list(char *buffer, size_t size, const ConfigKeyTable *table);

/* -EINVAL: `text` is not `key->allowed`. */
int config_key_parse(void *object, const ConfigKey *key, const char *text);

/* Every key of the table has the same value in both objects. */
bool config_key_table_equal(const ConfigKeyTable *table, const void *a, const void *b);
