#pragma once

/*
 * JSON writer: writes a document that is always valid (RFC 8259), without blanks.
 *
 * Strings must be valid UTF-8 (common/text.h). The writer keeps its first error, so that calls
 * between json_writer_new() and json_writer_finish() need no checks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/json-reader.h"
#include "common/macro.h"

typedef struct JsonWriter JsonWriter;

/* Returns NULL without memory. Every function accepts NULL, and json_writer_finish() reports it. */
JsonWriter *json_writer_new(void);
JsonWriter *json_writer_free(JsonWriter *writer);
DEFINE_CLEANUP(JsonWriter *, json_writer_free);

void json_open_object(JsonWriter *writer);
void json_close_object(JsonWriter *writer);
void json_open_array(JsonWriter *writer);
void json_close_array(JsonWriter *writer);
void json_key(JsonWriter *writer, const char *key);
void json_string(JsonWriter *writer, const char *string); /* NULL: null */
void json_integer(JsonWriter *writer, int64_t integer);
void json_boolean(JsonWriter *writer, bool boolean);
void json_null(JsonWriter *writer);

/* Write a member of an object: key and value. json_put_text() writes "" as null; the two with
 * `known` write null unless it is true. */
void json_put_string(JsonWriter *writer, const char *key, const char *string);
void json_put_text(JsonWriter *writer, const char *key, const char *text);
void json_put_integer(JsonWriter *writer, const char *key, int64_t integer);
void json_put_boolean(JsonWriter *writer, const char *key, bool boolean);
void json_put_null(JsonWriter *writer, const char *key);
void json_put_strings(JsonWriter *writer, const char *key, char *const *strings, int n);
void json_put_known_integer(JsonWriter *writer, const char *key, bool known, int64_t integer);
void json_put_known_boolean(JsonWriter *writer, const char *key, bool known, bool boolean);

/* Copies a complete document as one value, without parsing it. */
void json_raw(JsonWriter *writer, const char *document, size_t size);

/* Writes a parsed tree as one value. */
void json_copy(JsonWriter *writer, const JsonValue *value);

/* Returns the document as a heap string. The writer may then only be freed. -EINVAL: unbalanced,
 * or a string was not UTF-8. -ENOMEM: also for a writer that could not be allocated. */
int json_writer_finish(JsonWriter *writer, char **ret);

/* Finishes the document, prints it as one line and flushes. -EIO: printing failed. */
int json_writer_print(FILE *stream, JsonWriter *writer);

/* Write a parsed tree to a heap string, or print it as above. NULL is written as {}. */
int json_format(char **ret, const JsonValue *value);
int json_print(FILE *stream, const JsonValue *value);
