#include "common/json-writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* What an open level expects next. */
typedef enum Level {
        LEVEL_ELEMENT, /* of an array */
        LEVEL_KEY,     /* of an object */
        LEVEL_VALUE,   /* of the key */
} Level;

struct JsonWriter {
        char *text;
        size_t size, capacity;
        Level levels[JSON_DEPTH_MAX];
        unsigned depth;
        bool follows; /* a member or element of the innermost level, so a comma is next */
        int error;
};

static void fail(JsonWriter *writer, int error)
{
        if (writer->error == 0)
                writer->error = error;
}

/* Makes room for so many bytes and a NUL. Returns false after an error. */
static bool reserve(JsonWriter *writer, size_t n)
{
        size_t capacity = writer->capacity > 0 ? writer->capacity : 512;
        char *text;

        while (capacity - writer->size <= n)
                capacity *= 2;
        if (writer->error == 0 && capacity > writer->capacity) {
                text = realloc(writer->text, capacity);
                if (!text)
                        fail(writer, -ENOMEM);
                else {
                        writer->text = text;
                        writer->capacity = capacity;
                }
        }
        return writer->error == 0;
}

static void put(JsonWriter *writer, const char *bytes, size_t n)
{
        if (!reserve(writer, n))
                return;
        memcpy(writer->text + writer->size, bytes, n);
        writer->size += n;
}

/* A key begins, or a value. Returns false without a writer. */
static bool begin(JsonWriter *writer, bool is_key)
{
        Level *level = writer && writer->depth > 0 ? &writer->levels[writer->depth - 1] : NULL;

        if (!writer)
                return false;
        if (level ? is_key != (*level == LEVEL_KEY) : is_key || writer->size > 0)
                fail(writer, -EINVAL);
        else if (writer->follows && (is_key || *level == LEVEL_ELEMENT))
                put(writer, ",", 1);
        if (level && *level != LEVEL_ELEMENT)
                *level = is_key ? LEVEL_VALUE : LEVEL_KEY;
        writer->follows = writer->depth > 0;
        return true;
}

static void put_value(JsonWriter *writer, const char *text, size_t size)
{
        if (begin(writer, false))
                put(writer, text, size);
}

static void open_level(JsonWriter *writer, Level level, const char *bracket)
{
        if (!begin(writer, false))
                return;
        put(writer, bracket, 1);
        writer->follows = false;
        if (writer->depth < JSON_DEPTH_MAX)
                writer->levels[writer->depth++] = level;
        else
                fail(writer, -EINVAL);
}

static void close_level(JsonWriter *writer, Level level, const char *bracket)
{
        if (writer && (writer->depth == 0 || writer->levels[writer->depth - 1] != level))
                fail(writer, -EINVAL);
        else if (writer) {
                put(writer, bracket, 1);
                writer->follows = --writer->depth > 0;
        }
}

JsonWriter *json_writer_new(void)
{
        return calloc(1, sizeof(JsonWriter));
}

JsonWriter *json_writer_free(JsonWriter *writer)
{
        if (!writer)
                return NULL;
        free(writer->text);
        free(writer);
        return NULL;
}

void json_open_object(JsonWriter *writer)
{
        open_level(writer, LEVEL_KEY, "{");
}

void json_close_object(JsonWriter *writer)
{
        close_level(writer, LEVEL_KEY, "}");
}

void json_open_array(JsonWriter *writer)
{
        open_level(writer, LEVEL_ELEMENT, "[");
}

void json_close_array(JsonWriter *writer)
{
        close_level(writer, LEVEL_ELEMENT, "]");
}

/* Writes one byte as it stands in a string (RFC 8259, section 7). */
static char *escape(char *to, unsigned char c)
{
        static const char letters[' '] = {
                ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
        static const char hex[] = "0123456789ABCDEF";
        char letter = c < ' ' ? letters[c] : (char)c;

        if (c >= ' ' && c != '"' && c != '\\') {
                *to++ = (char)c;
                return to;
        }
        *to++ = '\\';
        if (letter != '\0') {
                *to++ = letter;
                return to;
        }
        memcpy(to, "u00", 3);
        to[3] = hex[c >> 4];
        to[4] = hex[c & 15];
        return to + 5;
}

static void put_string(JsonWriter *writer, const char *string)
{
        size_t size = strlen(string);
        bool ascii = true;
        char *to;

        if (!reserve(writer, 6 * size + 2)) /* \u0001 for each byte */
                return;
        to = writer->text + writer->size;
        *to++ = '"';
        for (size_t i = 0; i < size; i++) {
                ascii = ascii && (unsigned char)string[i] < 0x80;
                to = escape(to, (unsigned char)string[i]);
        }
        *to++ = '"';
        writer->size = (size_t)(to - writer->text);
        if (!ascii && !text_is_utf8(string, size))
                fail(writer, -EINVAL);
}

void json_key(JsonWriter *writer, const char *key)
{
        if (!begin(writer, true))
                return;
        if (!key) {
                fail(writer, -EINVAL);
                return;
        }
        put_string(writer, key);
        put(writer, ":", 1);
}

void json_string(JsonWriter *writer, const char *string)
{
        if (!string)
                json_null(writer);
        else if (begin(writer, false))
                put_string(writer, string);
}

void json_integer(JsonWriter *writer, int64_t integer)
{
        uint64_t rest = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
        char digits[24], *first = digits + sizeof(digits);

        do
                *--first = (char)('0' + rest % 10);
        while ((rest /= 10) > 0);
        if (integer < 0)
                *--first = '-';
        put_value(writer, first, (size_t)(digits + sizeof(digits) - first));
}

void json_boolean(JsonWriter *writer, bool boolean)
{
        put_value(writer, boolean ? "true" : "false", boolean ? 4 : 5);
}

void json_null(JsonWriter *writer)
{
        put_value(writer, "null", 4);
}

void json_put_string(JsonWriter *writer, const char *key, const char *string)
{
        json_key(writer, key);
        json_string(writer, string);
}

void json_put_text(JsonWriter *writer, const char *key, const char *text)
{
        json_put_string(writer, key, text[0] != '\0' ? text : NULL);
}

void json_put_integer(JsonWriter *writer, const char *key, int64_t integer)
{
        json_key(writer, key);
        json_integer(writer, integer);
}

void json_put_boolean(JsonWriter *writer, const char *key, bool boolean)
{
        json_key(writer, key);
        json_boolean(writer, boolean);
}

void json_put_null(JsonWriter *writer, const char *key)
{
        json_key(writer, key);
        json_null(writer);
}

void json_put_strings(JsonWriter *writer, const char *key, char *const *strings, int n)
{
        json_key(writer, key);
        json_open_array(writer);
        for (int i = 0; i < n; i++)
                json_string(writer, strings[i]);
        json_close_array(writer);
}

void json_put_known_integer(JsonWriter *writer, const char *key, bool known, int64_t integer)
{
        if (known)
                json_put_integer(writer, key, integer);
        else
                json_put_null(writer, key);
}

void json_put_known_boolean(JsonWriter *writer, const char *key, bool known, bool boolean)
{
        if (known)
                json_put_boolean(writer, key, boolean);
        else
                json_put_null(writer, key);
}

void json_raw(JsonWriter *writer, const char *document, size_t size)
{
        put_value(writer, document, size);
}

int json_writer_finish(JsonWriter *writer, char **ret)
{
        if (!writer)
                return -ENOMEM;
        if (writer->error < 0)
                return writer->error;
        if (writer->depth != 0 || writer->size == 0)
                return -EINVAL;
        writer->text[writer->size] = '\0';
        *ret = TAKE(writer->text);
        writer->error = -EINVAL;
        return 0;
}

void json_copy(JsonWriter *writer, const JsonValue *value)
{
        const char *string = json_get_string(value);
        int64_t integer;
        bool boolean;

        if (json_is_object(value)) {
                json_open_object(writer);
                for (size_t i = 0; i < json_size(value); i++) {
                        const char *key = json_key_at(value, i);

                        json_key(writer, key);
                        json_copy(writer, json_member(value, key));
                }
                json_close_object(writer);
        } else if (json_is_array(value)) {
                json_open_array(writer);
                for (size_t i = 0; i < json_size(value); i++)
                        json_copy(writer, json_element(value, i));
                json_close_array(writer);
        } else if (string)
                json_string(writer, string);
        else if (json_get_integer(&integer, value))
                json_integer(writer, integer);
        else if (json_get_boolean(&boolean, value))
                json_boolean(writer, boolean);
        else
                json_null(writer);
}

/* NULL is an empty object. */
static JsonWriter *writer_with(const JsonValue *value)
{
        JsonWriter *writer = json_writer_new();

        if (value)
                json_copy(writer, value);
        else
                json_raw(writer, "{}", 2);
        return writer;
}

int json_format(char **ret, const JsonValue *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = writer_with(value);

        return json_writer_finish(writer, ret);
}

int json_writer_print(FILE *stream, JsonWriter *writer)
{
        CLEANUP(freep) char *text = NULL;
        int r = json_writer_finish(writer, &text);

        if (r < 0)
                return r;
        fprintf(stream, "%s\n", text);
        return fflush(stream) == 0 ? 0 : -EIO;
}

int json_print(FILE *stream, const JsonValue *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = writer_with(value);

        return json_writer_print(stream, writer);
}
