#include "common/json-reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "common/text.h"

/* yajl builds and frees its tree by recursion, so the depth is measured before the text is parsed.
 * yajl_tree_parse() stops at a NUL byte and ignores text after the value. It also accepts comments,
 * which JSON does not have; a quote in a comment would hide brackets from this function. */
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

/* yajl accepts overlong forms. */
static bool string_is_valid(const char *string)
{
        return text_is_utf8(string, strlen(string));
}

static bool object_is_valid(yajl_val object)
{
        if (object->u.object.len > JSON_KEYS_MAX)
                return false;
        for (size_t i = 0; i < object->u.object.len; i++) {
                const char *key = object->u.object.keys[i];

                /* json_member() finds the first of two equal keys. */
                if (!string_is_valid(key) || json_member(object, key) != object->u.object.values[i])
                        return false;
        }
        return true;
}

static bool tree_is_valid(yajl_val value)
{
        if (YAJL_IS_STRING(value))
                return string_is_valid(value->u.string);
        if (YAJL_IS_ARRAY(value))
                for (size_t i = 0; i < value->u.array.len; i++)
                        if (!tree_is_valid(value->u.array.values[i]))
                                return false;
        if (YAJL_IS_OBJECT(value)) {
                if (!object_is_valid(value))
                        return false;
                for (size_t i = 0; i < value->u.object.len; i++)
                        if (!tree_is_valid(value->u.object.values[i]))
                                return false;
        }
        return true;
}

/* Returns the code unit of "XXXX" in \uXXXX, or -1, which yajl refuses. */
static int code_unit(const char *digits, const char *end)
{
        char text[5] = "";

        if (end - digits < 4)
                return -1;
        memcpy(text, digits, 4);
        return strspn(text, "0123456789abcdefABCDEF") == 4 ? (int)strtol(text, NULL, 16) : -1;
}

static bool is_surrogate(int unit, int first)
{
        return unit >= first && unit < first + 0x400;
}

/* yajl returns strings that end with NUL, so the rest of a string after "\u0000" would be lost, and
 * makes '?' or another character out of half a surrogate pair. */
bool json_escapes_are_characters(const char *text, size_t size)
{
        const char *end = text + size;

        while ((text = memchr(text, '\\', (size_t)(end - text))) != NULL && end - text >= 2) {
                int unit = text[1] == 'u' ? code_unit(text + 2, end) : -1;

                text += 2;
                if (unit == 0 || is_surrogate(unit, 0xdc00))
                        return false;
                if (!is_surrogate(unit, 0xd800))
                        continue;
                text += 4;
                if (end - text < 2 || memcmp(text, "\\u", 2) != 0 ||
                        !is_surrogate(code_unit(text + 2, end), 0xdc00))
                        return false;
                text += 2;
        }
        return true;
}

int json_parse(JsonValue **ret, const char *text, size_t size)
{
        CLEANUP(freep) char *copy = NULL;
        CLEANUP(json_freep) JsonValue *value = NULL;
        char problem[128];

        if (!text_is_shallow(text, size) || !json_escapes_are_characters(text, size))
                return -EBADMSG;
        copy = strndup(text, size);
        if (!copy)
                return -ENOMEM;
        value = yajl_tree_parse(copy, problem, sizeof(problem));
        if (!value || !tree_is_valid(value))
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
        /* From the text, because yajl's own integer has no INT64_MIN. */
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

void json_get_text(char *buffer, size_t size, const JsonValue *object, const char *key)
{
        text_set(buffer, size, json_get_string(json_member(object, key)));
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
