#pragma once

/*
 * JSON reader: parses a document into a tree with jansson and reads values by type.
 *
 * The input is untrusted. The parser refuses more than JSON_DEPTH_MAX levels, more than
 * JSON_KEYS_MAX keys in one object, duplicate keys, comments, invalid UTF-8, NUL characters, halves
 * of surrogate pairs, whole numbers of more than 64 bits, and anything after the value. It can be a
 * secret: the memory of a tree, and of its parsing, is wiped when it is freed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macro.h"

#define JSON_DEPTH_MAX 32
#define JSON_KEYS_MAX  256

typedef struct json_t JsonValue;

/* -EBADMSG: not such a document. -ENOMEM. */
int json_parse(JsonValue **ret, const char *text, size_t size);
JsonValue *json_free(JsonValue *value);
DEFINE_CLEANUP(JsonValue *, json_free);

/* Each function below returns false, NULL or 0 for NULL and for a value of another type. */
bool json_is_object(const JsonValue *value);
bool json_is_array(const JsonValue *value);
bool json_is_null(const JsonValue *value);
const char *json_get_string(const JsonValue *value);         /* owned by the tree */
bool json_get_integer(int64_t *ret, const JsonValue *value); /* whole numbers of 64 bits only */
bool json_get_boolean(bool *ret, const JsonValue *value);
/* A member as displayable text (common/text.h); "" if it is absent or not a string. */
void json_get_text(char *buffer, size_t size, const JsonValue *object, const char *key);

const JsonValue *json_member(const JsonValue *object, const char *key); /* NULL if absent */
size_t json_size(const JsonValue *value); /* elements of an array, keys of an object, else 0 */
const JsonValue *json_element(const JsonValue *array, size_t index);
const char *json_key_at(const JsonValue *object, size_t index);
