/* A document that can be parsed can be written, and the written text stays the same. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/text.h"

static void check_limits(const JsonValue *value, unsigned depth)
{
        MUST(depth <= JSON_DEPTH_MAX);
        if (json_is_object(value)) {
                MUST(json_size(value) <= JSON_KEYS_MAX);
                for (size_t i = 0; i < json_size(value); i++)
                        check_limits(json_member(value, json_key_at(value, i)), depth + 1);
        }
        for (size_t i = 0; json_is_array(value) && i < json_size(value); i++)
                check_limits(json_element(value, i), depth + 1);
}

static char *write_document(const JsonValue *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        char *text = NULL;

        check_limits(value, 0);
        json_copy(writer, value);
        MUST(json_writer_finish(writer, &text) == 0);
        MUST(text_is_utf8(text, strlen(text)));
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
