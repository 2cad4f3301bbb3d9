#include "common/json.h"

#include <errno.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "common/text.h"

/* What an open level waits for. yajl_gen would close a level as the other kind, or an object
 * behind a key, without a word. */
typedef enum Level {
        LEVEL_ELEMENT, /* an array: anything */
        LEVEL_KEY,     /* an object: a key */
        LEVEL_VALUE,   /* an object: the value of the key */
} Level;

struct JsonWriter {
        yajl_gen gen;
        Level levels[JSON_DEPTH_MAX];
        unsigned depth;
        bool started;
        int error;
};

static void note(JsonWriter *writer, yajl_gen_status status)
{
        if (status != yajl_gen_status_ok && writer->error == 0)
                writer->error = status == yajl_gen_no_buf ? -ENOMEM : -EINVAL;
        writer->started = true;
}

static void refuse(JsonWriter *writer)
{
        if (writer->error == 0)
                writer->error = -EINVAL;
}

/* A key, a value or the beginning of one stands in the innermost level. */
static void advance(JsonWriter *writer)
{
        Level *level = writer->depth > 0 ? &writer->levels[writer->depth - 1] : NULL;

        if (level && *level != LEVEL_ELEMENT)
                *level = *level == LEVEL_KEY ? LEVEL_VALUE : LEVEL_KEY;
}

static bool enter(JsonWriter *writer, Level level)
{
        if (writer->depth >= JSON_DEPTH_MAX) {
                refuse(writer);
                return false;
        }
        advance(writer);
        writer->levels[writer->depth++] = level;
        return true;
}

static bool leave(JsonWriter *writer, Level level)
{
        if (writer->depth == 0 || writer->levels[writer->depth - 1] != level) {
                refuse(writer);
                return false;
        }
        writer->depth--;
        return true;
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
        if (enter(writer, LEVEL_KEY))
                note(writer, yajl_gen_map_open(writer->gen));
}

void json_close_object(JsonWriter *writer)
{
        if (leave(writer, LEVEL_KEY))
                note(writer, yajl_gen_map_close(writer->gen));
}

void json_open_array(JsonWriter *writer)
{
        if (enter(writer, LEVEL_ELEMENT))
                note(writer, yajl_gen_array_open(writer->gen));
}

void json_close_array(JsonWriter *writer)
{
        if (leave(writer, LEVEL_ELEMENT))
                note(writer, yajl_gen_array_close(writer->gen));
}

void json_key(JsonWriter *writer, const char *key)
{
        json_string(writer, key);
}

void json_string(JsonWriter *writer, const char *string)
{
        size_t size = string ? strlen(string) : 0;

        if (!string) {
                json_null(writer);
                return;
        }
        if (!text_is_utf8(string, size)) /* yajl's own check lets overlong forms pass */
                refuse(writer);
        advance(writer);
        note(writer, yajl_gen_string(writer->gen, (const unsigned char *)string, size));
}

void json_integer(JsonWriter *writer, int64_t integer)
{
        advance(writer);
        note(writer, yajl_gen_integer(writer->gen, integer));
}

void json_boolean(JsonWriter *writer, bool boolean)
{
        advance(writer);
        note(writer, yajl_gen_bool(writer->gen, boolean));
}

void json_null(JsonWriter *writer)
{
        advance(writer);
        note(writer, yajl_gen_null(writer->gen));
}

void json_raw(JsonWriter *writer, const char *document, size_t size)
{
        advance(writer);
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
 * yajl_tree_parse() stops at a NUL byte and does not look behind the value. It also allows
 * comments, which JSON does not have, and a quote in one would hide brackets from us. */
static bool text_is_shallow(const char *text, size_t size)
{
        bool inside = false;
        int depth = 0;

        for (size_t i = 0; i < size; i++) {
                if (text[i] == '\0' || (text[i] == '/' && !inside))
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

/* yajl passes overlong forms, and makes one surrogate out of "\udc00". */
static bool string_is_good(const char *string)
{
        return text_is_utf8(string, strlen(string));
}

static bool object_is_good(yajl_val object)
{
        if (object->u.object.len > JSON_KEYS_MAX)
                return false;
        for (size_t i = 0; i < object->u.object.len; i++) {
                if (!string_is_good(object->u.object.keys[i]))
                        return false;
                for (size_t k = 0; k < i; k++)
                        if (strcmp(object->u.object.keys[i], object->u.object.keys[k]) == 0)
                                return false;
        }
        return true;
}

static bool tree_is_good(yajl_val value)
{
        if (YAJL_IS_STRING(value))
                return string_is_good(value->u.string);
        if (YAJL_IS_ARRAY(value))
                for (size_t i = 0; i < value->u.array.len; i++)
                        if (!tree_is_good(value->u.array.values[i]))
                                return false;
        if (YAJL_IS_OBJECT(value)) {
                if (!object_is_good(value))
                        return false;
                for (size_t i = 0; i < value->u.object.len; i++)
                        if (!tree_is_good(value->u.object.values[i]))
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
        if (!value || !tree_is_good(value))
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
        long long integer;
        char *end;

        if (!YAJL_IS_NUMBER(value))
                return false;
        /* From the text: yajl's own integer has no INT64_MIN. */
        errno = 0;
        integer = strtoll(value->u.number.r, &end, 10);
        if (errno != 0 || *end != '\0')
                return false;
        *ret = integer;
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
