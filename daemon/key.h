#pragma once

/*
 * Key: one key of the configuration as a row of a table: its name, what it means when it is absent,
 * how its text becomes a value and what the user is told when it does not. The tables are
 * daemon/schema.h's.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config.h"

typedef enum KeyKind {
        KEY_TEXT,     /* any text that is not empty; what it must look like is `check`'s business */
        KEY_PATH,     /* absolute */
        KEY_TABLE,    /* schema.table, or off, which is stored as "" */
        KEY_NAME,     /* letters, digits, dot, dash, underscore */
        KEY_UNSIGNED, /* minimum .. maximum */
        KEY_DURATION, /* minimum .. maximum, in microseconds */
        KEY_DURATIONS, /* a list of durations, separated by blanks */
        KEY_CHOICE,    /* one of `choices`; the value is its index, stored as an int */
        KEY_CHOICES,   /* a list out of `choices`, commas between; 1u << index of each, unsigned */
        KEY_BOOLEAN,   /* yes or no, stored as a bool */
        KEY_COMMAND,   /* words as in common/words.h, the first an absolute path */
} KeyKind;

typedef struct Key {
        const char *name;
        KeyKind kind;
        size_t offset;              /* of the member in the struct that the table describes */
        const char *fallback;       /* text of the default; NULL: mandatory; "": stays empty */
        uint64_t minimum, maximum;  /* inclusive */
        const char *const *choices; /* ends with NULL */
        const char *allowed;        /* completes "... is not " for the user */
} Key;

typedef struct KeyTable {
        const Key *keys;
        size_t n_keys;
} KeyTable;

const Key *key_find(const KeyTable *table, const char *name);

/* "a, b, c": every key of the table, for messages. Returns `buffer`. */
const char *key_list(char *buffer, size_t size, const KeyTable *table);

/* -EINVAL: `text` is not `key->allowed`. */
int key_parse(void *object, const Key *key, const char *text);

/* Every key of the table has the same value in both objects. */
bool key_table_equal(const KeyTable *table, const void *a, const void *b);
