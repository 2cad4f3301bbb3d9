#pragma once

/*
 * JSON: a writer that cannot produce an invalid document and a typed reader, both over yajl. No
 * yajl type leaves this module.
 *
 * The reader is for input from strangers: it refuses more than JSON_DEPTH_MAX levels, more than
 * JSON_KEYS_MAX keys in one object, duplicate keys, invalid UTF-8, and anything after the value.
 * The writer's strings must be valid UTF-8 (common/text.h makes them so).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macro.h"

#define JSON_DEPTH_MAX 32
#define JSON_KEYS_MAX  256

typedef struct JsonWriter JsonWriter;
typedef struct yajl_val_s JsonValue;

/* The writer remembers its first failure; the calls between new and finish need no checks. */
int json_writer_new(JsonWriter **ret);
JsonWriter *json_writer_free(JsonWriter *writer);
DEFINE_CLEANUP(JsonWriter *, json_writer_free);

void json_open_object(JsonWriter *writer);
void json_close_object(JsonWriter *writer);
void json_open_array(JsonWriter *writer);
void json_close_array(JsonWriter *writer);
void json_key(JsonWriter *writer, const char *key);
void json_string(JsonWriter *writer, const char *string); /* NULL is written as null */
void json_integer(JsonWriter *writer, int64_t integer);
void json_boolean(JsonWriter *writer, bool boolean);
void json_null(JsonWriter *writer);

/* A document that someone else wrote, copied in as a value without looking into it. */
void json_raw(JsonWriter *writer, const char *document, size_t size);

/* Hands the document over: a heap string with a NUL after `ret_size` bytes. The writer may not
 * be used again except to free it. -EINVAL: unbalanced, or a string was not UTF-8. */
int json_writer_finish(JsonWriter *writer, char **ret, size_t *ret_size);

/* -EBADMSG: not a JSON document as described above. */
int json_parse(JsonValue **ret, const char *text, size_t size);
JsonValue *json_free(JsonValue *value);
DEFINE_CLEANUP(JsonValue *, json_free);

/* Typed reading. Every function takes NULL and a value of another type, and then says no. */
bool json_is_object(const JsonValue *value);
bool json_is_array(const JsonValue *value);
bool json_is_null(const JsonValue *value);
const char *json_get_string(const JsonValue *value); /* NULL if it is none; lives with the tree */
bool json_get_integer(int64_t *ret, const JsonValue *value); /* whole numbers of 64 bits only */
bool json_get_boolean(bool *ret, const JsonValue *value);

const JsonValue *json_member(const JsonValue *object, const char *key); /* NULL if absent */
size_t json_size(const JsonValue *value); /* elements of an array, keys of an object, else 0 */
const JsonValue *json_element(const JsonValue *array, size_t index);
const char *json_key_at(const JsonValue *object, size_t index);
