#include "daemon/mysql/password-json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "common/json-reader.h"
#include "common/text.h"

/* What the parser copies of a secret text, it copies into these blocks. */
typedef struct Block {
        size_t size;
        _Alignas(max_align_t) char data[];
} Block;

static Block *block_of(void *data)
{
        return (Block *)((char *)data - offsetof(Block, data));
}

static void *block_allocate(void *unused, size_t size)
{
        Block *block = malloc(sizeof(*block) + size);

        if (!block)
                return NULL;
        block->size = size;
        return block->data;
}

static void block_free(void *unused, void *data)
{
        if (data) {
                explicit_bzero(data, block_of(data)->size);
                free(block_of(data));
        }
}

static void *block_reallocate(void *unused, void *data, size_t size)
{
        size_t old_size = data ? block_of(data)->size : 0;
        void *larger = block_allocate(NULL, size);

        if (larger && data)
                memcpy(larger, data, old_size < size ? old_size : size);
        if (larger)
                block_free(NULL, data);
        return larger;
}

/* The state while a text is searched for a member of its object. */
typedef struct Search {
        const char *field;
        Secret value;
        size_t depth;
        bool expected; /* the next value is that of the member */
        bool found;
        const char *problem;
} Search;

/* Called for every value; `string` is NULL for one of another type. */
static int search_value(Search *search, const unsigned char *string, size_t size)
{
        bool expected = search->expected;

        search->expected = false;
        if (search->depth == 0)
                search->problem = "JSON, but not an object";
        else if (expected && !string)
                search->problem = "a JSON object in which password-field is not a string";
        else if (expected && secret_append(&search->value, string, size) < 0)
                search->problem = "too large for the memory";
        return !search->problem;
}

static int on_null(void *userdata)
{
        return search_value(userdata, NULL, 0);
}

static int on_boolean(void *userdata, int value)
{
        return search_value(userdata, NULL, 0);
}

static int on_number(void *userdata, const char *digits, size_t size)
{
        return search_value(userdata, NULL, 0);
}

static int on_string(void *userdata, const unsigned char *string, size_t size)
{
        return search_value(userdata, string, size);
}

static int on_start_array(void *userdata)
{
        Search *search = userdata;

        if (!search_value(search, NULL, 0))
                return 0;
        search->depth++;
        return 1;
}

static int on_start_map(void *userdata)
{
        Search *search = userdata;

        if (search->depth > 0)
                return on_start_array(search);
        search->depth++;
        return 1;
}

static int on_map_key(void *userdata, const unsigned char *key, size_t size)
{
        Search *search = userdata;

        search->expected = search->depth == 1 && size == strlen(search->field) &&
                memcmp(key, search->field, size) == 0;
        if (search->expected && search->found)
                search->problem = "a JSON object with password-field twice";
        search->found |= search->expected;
        return !search->problem;
}

static int on_end(void *userdata)
{
        Search *search = userdata;

        search->depth--;
        return 1;
}

static const char *search_text(Search *search, const Secret *text)
{
        static const yajl_callbacks callbacks = {.yajl_null = on_null,
                .yajl_boolean = on_boolean,
                .yajl_number = on_number,
                .yajl_string = on_string,
                .yajl_start_map = on_start_map,
                .yajl_map_key = on_map_key,
                .yajl_end_map = on_end,
                .yajl_start_array = on_start_array,
                .yajl_end_array = on_end};
        yajl_alloc_funcs memory = {block_allocate, block_reallocate, block_free, NULL};
        yajl_handle parser = yajl_alloc(&callbacks, &memory, search);
        yajl_status status;

        if (!parser)
                return "too large for the memory";
        status = yajl_parse(parser, (const unsigned char *)text->data, text->size);
        if (status == yajl_status_ok)
                status = yajl_complete_parse(parser);
        yajl_free(parser);
        if (search->problem)
                return search->problem;
        if (status != yajl_status_ok)
                return "not JSON";
        if (!search->found)
                return "a JSON object without password-field";
        return search->value.size > 0 ? NULL : "a JSON object in which password-field is empty";
}

const char *password_json_read(Secret *ret, const Secret *text, const char *field)
{
        Search search = {.field = field, .value = SECRET_NULL};
        const char *problem;

        if (text->size == 0 || !text_is_utf8(text->data, text->size))
                return "not JSON";
        if (!json_escapes_are_characters(text->data, text->size))
                return "JSON with an escape that is no character";
        problem = search_text(&search, text);
        if (problem) {
                secret_done(&search.value);
                return problem;
        }
        secret_done(ret);
        *ret = search.value;
        return NULL;
}
