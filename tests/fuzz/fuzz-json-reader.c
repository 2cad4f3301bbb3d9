/* What is read can be written, and is then the same. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/text.h"

static void write_value(JsonWriter *writer, const JsonValue *value, unsigned depth)
{
        const char *string = json_get_string(value);
        int64_t integer;
        bool boolean;

        MUST(depth <= JSON_DEPTH_MAX);
        if (json_is_object(value)) {
                MUST(json_size(value) <= JSON_KEYS_MAX);
                json_open_object(writer);
                for (size_t i = 0; i < json_size(value); i++) {
                        const char *key = json_key_at(value, i);

                        json_key(writer, key);
                        write_value(writer, json_member(value, key), depth + 1);
                }
                json_close_object(writer);
        } else if (json_is_array(value)) {
                json_open_array(writer);
                for (size_t i = 0; i < json_size(value); i++)
                        write_value(writer, json_element(value, i), depth + 1);
                json_close_array(writer);
        } else if (string)
                json_string(writer, string);
        else if (json_get_integer(&integer, value))
                json_integer(writer, integer);
        else if (json_get_boolean(&boolean, value))
                json_boolean(writer, boolean);
        else
                json_null(writer); /* or a number that is no integer */
}

static char *write_document(const JsonValue *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        char *text = NULL;
        size_t size;

        MUST(json_writer_new(&writer) == 0);
        write_value(writer, value, 0);
        MUST(json_writer_finish(writer, &text, &size) == 0);
        MUST(strlen(text) == size && text_is_utf8(text, size));
        return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(json_freep) JsonValue *first = NULL;
        CLEANUP(json_freep) JsonValue *second = NULL;
        CLEANUP(freep) char *once = NULL;
        CLEANUP(freep) char *twice = NULL;

        if (json_parse(&first, (const char *)data, size) < 0)
                return 0;
        once = write_document(first);
        MUST(json_parse(&second, once, strlen(once)) == 0);
        twice = write_document(second);
        MUST(strcmp(once, twice) == 0);
        return 0;
}
