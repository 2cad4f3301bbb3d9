#include "common/json-writer.h"

#include <errno.h>
#include <inttypes.h>
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
        FILE *stream; /* into `text` */
        char *text;
        size_t size;
        Level levels[JSON_DEPTH_MAX];
        unsigned depth;
        bool separates; /* a comma precedes the next element or key */
        bool started;
        int error;
};

static void fail(JsonWriter *writer)
{
        if (writer->error == 0)
                writer->error = -EINVAL;
}

/* A key, a value or the beginning of one is written in the innermost level. Returns false without a
 * writer, and after the end of the document. */
static bool advance(JsonWriter *writer)
{
        Level *level = writer && writer->depth > 0 ? &writer->levels[writer->depth - 1] : NULL;

        if (!writer)
                return false;
        if (!level && writer->started) {
                fail(writer);
                return false;
        }
        writer->started = true;
        if (level && *level == LEVEL_VALUE)
                fputc(':', writer->stream);
        else if (writer->separates)
                fputc(',', writer->stream);
        writer->separates = true;
        if (level && *level != LEVEL_ELEMENT)
                *level = *level == LEVEL_KEY ? LEVEL_VALUE : LEVEL_KEY;
        return true;
}

/* Only a string is a key. */
static bool advance_value(JsonWriter *writer)
{
        if (writer && writer->depth > 0 && writer->levels[writer->depth - 1] == LEVEL_KEY) {
                fail(writer);
                return false;
        }
        return advance(writer);
}

static void open_level(JsonWriter *writer, Level level, char bracket)
{
        if (writer && writer->depth >= JSON_DEPTH_MAX)
                fail(writer);
        else if (advance_value(writer)) {
                writer->levels[writer->depth++] = level;
                writer->separates = false;
                fputc(bracket, writer->stream);
        }
}

static void close_level(JsonWriter *writer, Level level, char bracket)
{
        if (writer && (writer->depth == 0 || writer->levels[writer->depth - 1] != level))
                fail(writer);
        else if (writer) {
                writer->depth--;
                writer->separates = true;
                fputc(bracket, writer->stream);
        }
}

JsonWriter *json_writer_new(void)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = calloc(1, sizeof(*writer));

        if (!writer)
                return NULL;
        writer->stream = open_memstream(&writer->text, &writer->size);
        return writer->stream ? TAKE(writer) : NULL;
}

JsonWriter *json_writer_free(JsonWriter *writer)
{
        if (!writer)
                return NULL;
        if (writer->stream)
                (void)fclose(writer->stream);
        free(writer->text);
        free(writer);
        return NULL;
}

void json_open_object(JsonWriter *writer)
{
        open_level(writer, LEVEL_KEY, '{');
}

void json_close_object(JsonWriter *writer)
{
        close_level(writer, LEVEL_KEY, '}');
}

void json_open_array(JsonWriter *writer)
{
        open_level(writer, LEVEL_ELEMENT, '[');
}

void json_close_array(JsonWriter *writer)
{
        close_level(writer, LEVEL_ELEMENT, ']');
}

void json_key(JsonWriter *writer, const char *key)
{
        json_string(writer, key);
}

/* RFC 8259, section 7. */
static void put_character(FILE *stream, char character)
{
        static const char escaped[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
        const char *found = strchr(escaped, character);

        if (found)
                fprintf(stream, "\\%c", names[found - escaped]);
        else if ((unsigned char)character < 0x20)
                fprintf(stream, "\\u%04X", (unsigned char)character);
        else
                fputc(character, stream);
}

void json_string(JsonWriter *writer, const char *string)
{
        if (!string) {
                json_null(writer);
                return;
        }
        if (!advance(writer))
                return;
        if (!text_is_utf8(string, strlen(string)))
                fail(writer);
        fputc('"', writer->stream);
        for (; *string != '\0'; string++)
                put_character(writer->stream, *string);
        fputc('"', writer->stream);
}

void json_integer(JsonWriter *writer, int64_t integer)
{
        if (advance_value(writer))
                fprintf(writer->stream, "%" PRId64, integer);
}

void json_boolean(JsonWriter *writer, bool boolean)
{
        if (advance_value(writer))
                fputs(boolean ? "true" : "false", writer->stream);
}

void json_null(JsonWriter *writer)
{
        if (advance_value(writer))
                fputs("null", writer->stream);
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
        if (advance_value(writer))
                (void)fwrite(document, 1, size, writer->stream);
}

int json_writer_finish(JsonWriter *writer, char **ret)
{
        if (!writer)
                return -ENOMEM;
        if (writer->error < 0)
                return writer->error;
        if (writer->depth != 0 || !writer->started)
                return -EINVAL;
        if (fflush(writer->stream) != 0 || ferror(writer->stream))
                return -ENOMEM;
        *ret = strndup(writer->text, writer->size);
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
