#include "common/json.h"

#include <errno.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

struct JsonWriter {
        yajl_gen gen;
        unsigned depth;
        bool started;
        int error;
};

static void note(JsonWriter *writer, yajl_gen_status status)
{
        if (status != yajl_gen_status_ok && status != yajl_gen_generation_complete &&
                writer->error == 0)
                writer->error = status == yajl_gen_no_buf ? -ENOMEM : -EINVAL;
        writer->started = true;
}

int json_writer_new(JsonWriter **ret)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = calloc(1, sizeof(*writer));

        if (!writer)
                return -ENOMEM;
        writer->gen = yajl_gen_alloc(NULL);
        if (!writer->gen || !yajl_gen_config(writer->gen, yajl_gen_validate_utf8, 1))
                return -ENOMEM;
        *ret = TAKE(writer);
        return 0;
}

JsonWriter *json_writer_free(JsonWriter *writer)
{
        if (!writer)
                return NULL;
        if (writer->gen)
                yajl_gen_free(writer->gen);
        free(writer);
        return NULL;
}

void json_open_object(JsonWriter *writer)
{
        writer->depth++;
        note(writer, yajl_gen_map_open(writer->gen));
}

void json_close_object(JsonWriter *writer)
{
        writer->depth--;
        note(writer, yajl_gen_map_close(writer->gen));
}

void json_open_array(JsonWriter *writer)
{
        writer->depth++;
        note(writer, yajl_gen_array_open(writer->gen));
}

void json_close_array(JsonWriter *writer)
{
        writer->depth--;
        note(writer, yajl_gen_array_close(writer->gen));
}

void json_key(JsonWriter *writer, const char *key)
{
        json_string(writer, key);
}

void json_string(JsonWriter *writer, const char *string)
{
        if (string)
                note(writer,
                        yajl_gen_string(
                                writer->gen, (const unsigned char *)string, strlen(string)));
        else
                json_null(writer);
}

void json_integer(JsonWriter *writer, int64_t integer)
{
        note(writer, yajl_gen_integer(writer->gen, integer));
}

void json_boolean(JsonWriter *writer, bool boolean)
{
        note(writer, yajl_gen_bool(writer->gen, boolean));
}

void json_null(JsonWriter *writer)
{
        note(writer, yajl_gen_null(writer->gen));
}

void json_raw(JsonWriter *writer, const char *document, size_t size)
{
        /* yajl copies what it is told to be a number as it stands. */
        note(writer, yajl_gen_number(writer->gen, document, size));
}

int json_writer_finish(JsonWriter *writer, char **ret, size_t *ret_size)
{
        const unsigned char *text;
        size_t size;
        char *copy;

        if (writer->error < 0)
                return writer->error;
        if (writer->depth != 0 || !writer->started)
                return -EINVAL;
        if (yajl_gen_get_buf(writer->gen, &text, &size) != yajl_gen_status_ok)
                return -EINVAL;
        copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text, size);
        copy[size] = '\0';
        *ret = copy;
        *ret_size = size;
        return 0;
}

/* yajl builds and frees its tree by recursion, so the depth is measured before it sees the text.
 * yajl_tree_parse() stops at a NUL byte and does not look behind the value. */
static bool text_is_shallow(const char *text, size_t size)
{
        bool inside = false;
        int depth = 0;

        for (size_t i = 0; i < size; i++) {
                if (text[i] == '\0')
                        return false;
                if (inside) {
                        if (text[i] == '\\')
                                i++;
                        else if (text[i] == '"')
                                inside = false;
                } else if (text[i] == '"')
                        inside = true;
                else if (text[i] == '{' || text[i] == '[') {
                        if (++depth > JSON_DEPTH_MAX)
                                return false;
                } else if (text[i] == '}' || text[i] == ']')
                        depth--;
        }
        return !inside && depth == 0;
}

static bool keys_are_unique(yajl_val value)
{
        if (YAJL_IS_ARRAY(value)) {
                for (size_t i = 0; i < value->u.array.len; i++)
                        if (!keys_are_unique(value->u.array.values[i]))
                                return false;
                return true;
        }
        if (!YAJL_IS_OBJECT(value))
                return true;
        if (value->u.object.len > JSON_KEYS_MAX)
                return false;
        for (size_t i = 0; i < value->u.object.len; i++) {
                for (size_t k = 0; k < i; k++)
                        if (strcmp(value->u.object.keys[i], value->u.object.keys[k]) == 0)
                                return false;
                if (!keys_are_unique(value->u.object.values[i]))
                        return false;
        }
        return true;
}

/* Strings come back NUL-terminated, so one that holds a NUL would be read short; "\u0000" cannot
 * be told from the end any more and is refused as text. */
static bool has_escaped_nul(const char *text)
{
        for (const char *at = text; (at = strstr(at, "\\u0000")) != NULL; at++) {
                size_t n = 0;

                while (at - n > text && at[-(ptrdiff_t)n - 1] == '\\')
                        n++;
                if (n % 2 == 0)
                        return true;
        }
        return false;
}

int json_parse(JsonValue **ret, const char *text, size_t size)
{
        CLEANUP(freep) char *copy = NULL;
        CLEANUP(json_freep) JsonValue *value = NULL;
        char problem[128];

        if (!text_is_shallow(text, size))
                return -EBADMSG;
        copy = strndup(text, size);
        if (!copy)
                return -ENOMEM;
        if (has_escaped_nul(copy))
                return -EBADMSG;
        value = yajl_tree_parse(copy, problem, sizeof(problem));
        if (!value || !keys_are_unique(value))
                return -EBADMSG;
        *ret = TAKE(value);
        return 0;
}

JsonValue *json_free(JsonValue *value)
{
        if (value)
                yajl_tree_free(value);
        return NULL;
}

bool json_is_object(const JsonValue *value)
{
        return YAJL_IS_OBJECT(value);
}

bool json_is_array(const JsonValue *value)
{
        return YAJL_IS_ARRAY(value);
}

bool json_is_null(const JsonValue *value)
{
        return YAJL_IS_NULL(value);
}

const char *json_get_string(const JsonValue *value)
{
        return YAJL_IS_STRING(value) ? value->u.string : NULL;
}

bool json_get_integer(int64_t *ret, const JsonValue *value)
{
        if (!value || !YAJL_IS_INTEGER(value))
                return false;
        *ret = value->u.number.i;
        return true;
}

bool json_get_boolean(bool *ret, const JsonValue *value)
{
        if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value))
                return false;
        *ret = YAJL_IS_TRUE(value);
        return true;
}

const JsonValue *json_member(const JsonValue *object, const char *key)
{
        if (!YAJL_IS_OBJECT(object))
                return NULL;
        for (size_t i = 0; i < object->u.object.len; i++)
                if (strcmp(object->u.object.keys[i], key) == 0)
                        return object->u.object.values[i];
        return NULL;
}

size_t json_size(const JsonValue *value)
{
        if (YAJL_IS_ARRAY(value))
                return value->u.array.len;
        return YAJL_IS_OBJECT(value) ? value->u.object.len : 0;
}

const JsonValue *json_element(const JsonValue *array, size_t index)
{
        return YAJL_IS_ARRAY(array) && index < array->u.array.len ? array->u.array.values[index]
                                                                  : NULL;
}

const char *json_key_at(const JsonValue *object, size_t index)
{
        return YAJL_IS_OBJECT(object) && index < object->u.object.len ? object->u.object.keys[index]
                                                                      : NULL;
}
