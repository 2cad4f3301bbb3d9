#include "ctl/document.h"

#include <errno.h>

void document_write(JsonWriter *writer, const JsonValue *value)
{
        const char *string = json_get_string(value);
        int64_t integer;
        bool boolean;

        if (json_is_object(value)) {
                json_open_object(writer);
                for (size_t i = 0; i < json_size(value); i++) {
                        const char *key = json_key_at(value, i);

                        json_key(writer, key);
                        document_write(writer, json_member(value, key));
                }
                json_close_object(writer);
        } else if (json_is_array(value)) {
                json_open_array(writer);
                for (size_t i = 0; i < json_size(value); i++)
                        document_write(writer, json_element(value, i));
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

/* A writer with the whole value in it; NULL is an empty object. */
static int begin(JsonWriter **ret, const JsonValue *value)
{
        int r = json_writer_new(ret);

        if (r < 0)
                return r;
        if (value)
                document_write(*ret, value);
        else {
                json_open_object(*ret);
                json_close_object(*ret);
        }
        return 0;
}

int document_format(char **ret, const JsonValue *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        size_t size;
        int r = begin(&writer, value);

        return r < 0 ? r : json_writer_finish(writer, ret, &size);
}

int document_finish(FILE *stream, JsonWriter *writer)
{
        CLEANUP(freep) char *text = NULL;
        size_t size;
        int r = json_writer_finish(writer, &text, &size);

        if (r < 0)
                return r;
        fprintf(stream, "%s\n", text);
        return fflush(stream) == 0 ? 0 : -EIO;
}

int document_print(FILE *stream, const JsonValue *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        int r = begin(&writer, value);

        return r < 0 ? r : document_finish(stream, writer);
}
