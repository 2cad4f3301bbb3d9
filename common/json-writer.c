#include "common/json-writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "common/text.h"

/* What an open level expects next. yajl_gen does not report a level that is closed as the other
 * kind, or an object that is closed after a key. */
typedef enum Level {
        LEVEL_ELEMENT, /* of an array */
        LEVEL_KEY,     /* of an object */
        LEVEL_VALUE,   /* of the key */
} Level;

struct JsonWriter {
        yajl_gen gen;
        Level levels[JSON_DEPTH_MAX];
        unsigned depth;
        bool started;
        int error;
};

static void record(JsonWriter *writer, yajl_gen_status status)
{
        if (status != yajl_gen_status_ok && writer->error == 0)
                writer->error = status == yajl_gen_no_buf ? -ENOMEM : -EINVAL;
        writer->started = true;
}

static void fail(JsonWriter *writer)
{
        if (writer->error == 0)
                writer->error = -EINVAL;
}

/* A key, a value or the beginning of one is written in the innermost level. Returns false without a
 * writer. */
static bool advance(JsonWriter *writer)
{
        Level *level = writer && writer->depth > 0 ? &writer->levels[writer->depth - 1] : NULL;

        if (level && *level != LEVEL_ELEMENT)
                *level = *level == LEVEL_KEY ? LEVEL_VALUE : LEVEL_KEY;
        return writer;
}

static void open_level(JsonWriter *writer, Level level, yajl_gen_status (*open)(yajl_gen))
{
        if (writer && writer->depth >= JSON_DEPTH_MAX)
                fail(writer);
        else if (advance(writer)) {
                writer->levels[writer->depth++] = level;
                record(writer, open(writer->gen));
        }
}

static void close_level(JsonWriter *writer, Level level, yajl_gen_status (*close)(yajl_gen))
{
        if (writer && (writer->depth == 0 || writer->levels[writer->depth - 1] != level))
                fail(writer);
        else if (writer) {
                writer->depth--;
                record(writer, close(writer->gen));
        }
}

JsonWriter *json_writer_new(void)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = calloc(1, sizeof(*writer));

        if (!writer)
                return NULL;
        writer->gen = yajl_gen_alloc(NULL);
        if (!writer->gen || !yajl_gen_config(writer->gen, yajl_gen_validate_utf8, 1))
                return NULL;
        return TAKE(writer);
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
        open_level(writer, LEVEL_KEY, yajl_gen_map_open);
}

void json_close_object(JsonWriter *writer)
{
        close_level(writer, LEVEL_KEY, yajl_gen_map_close);
}

void json_open_array(JsonWriter *writer)
{
        open_level(writer, LEVEL_ELEMENT, yajl_gen_array_open);
}

void json_close_array(JsonWriter *writer)
{
        close_level(writer, LEVEL_ELEMENT, yajl_gen_array_close);
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
        if (!advance(writer))
                return;
        if (!text_is_utf8(string, size)) /* yajl's own check accepts overlong forms */
                fail(writer);
        record(writer, yajl_gen_string(writer->gen, (const unsigned char *)string, size));
}

void json_integer(JsonWriter *writer, int64_t integer)
{
        if (advance(writer))
                record(writer, yajl_gen_integer(writer->gen, integer));
}

void json_boolean(JsonWriter *writer, bool boolean)
{
        if (advance(writer))
                record(writer, yajl_gen_bool(writer->gen, boolean));
}

void json_null(JsonWriter *writer)
{
        if (advance(writer))
                record(writer, yajl_gen_null(writer->gen));
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
        if (advance(writer)) /* yajl copies a number without parsing it */
                record(writer, yajl_gen_number(writer->gen, document, size));
}

int json_writer_finish(JsonWriter *writer, char **ret)
{
        const unsigned char *text;
        size_t size;

        if (!writer)
                return -ENOMEM;
        if (writer->error < 0)
                return writer->error;
        if (writer->depth != 0 || !writer->started)
                return -EINVAL;
        if (yajl_gen_get_buf(writer->gen, &text, &size) != yajl_gen_status_ok)
                return -EINVAL;
        *ret = strndup((const char *)text, size);
        return *ret ? 0 : -ENOMEM;
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
