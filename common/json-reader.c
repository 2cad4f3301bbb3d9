#include "common/json-reader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/text.h"

/* Of the same names as the functions of this module. */
#undef json_is_object
#undef json_is_array
#undef json_is_null

/* What jansson allocates. */
typedef struct Block {
        struct Block *previous, *next; /* of the same parse */
        size_t size;
        _Alignas(max_align_t) char data[];
} Block;

/* Of the parse that runs. jansson 2.14 goes on without a byte that its lexer had no memory for, and
 * then reads behind its buffer or aborts (its issue 362). So it does not see an allocation fail:
 * the parse ends there, and its blocks are freed. */
static Block *blocks;
static jmp_buf *no_memory;

static void *block_new(size_t size)
{
        Block *block = size <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + size) : NULL;

        if (!block) {
                if (no_memory)
                        longjmp(*no_memory, 1);
                return NULL;
        }
        *block = (Block){.next = blocks, .size = size};
        if (blocks)
                blocks->previous = block;
        blocks = block;
        return block->data;
}

static void block_free(void *data)
{
        Block *block = data ? (Block *)((char *)data - offsetof(Block, data)) : NULL;

        if (!block)
                return;
        if (block->previous)
                block->previous->next = block->next;
        else if (blocks == block)
                blocks = block->next;
        if (block->next)
                block->next->previous = block->previous;
        explicit_bzero(block->data, block->size);
        free(block);
}

static int load(JsonValue **ret, const char *text, size_t size)
{
        json_error_t error;
        jmp_buf here;

        json_set_alloc_funcs(block_new, block_free);
        if (setjmp(here) != 0) {
                while (blocks)
                        block_free(blocks->data);
                no_memory = NULL;
                return -ENOMEM;
        }
        no_memory = &here;
        *ret = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        no_memory = NULL;
        blocks = NULL;                         /* those that are left are the tree's */
        explicit_bzero(&error, sizeof(error)); /* it quotes the text */
        return *ret ? 0 : -EBADMSG;
}

/* json_loadb() has a limit of depth, but not this one, and none of keys. */
static bool tree_is_small(const json_t *value, unsigned depth)
{
        json_t *object = (json_t *)value, *member;
        const char *key;

        if (!json_is_object(value) && !json_is_array(value))
                return true;
        if (depth > JSON_DEPTH_MAX || json_object_size(value) > JSON_KEYS_MAX)
                return false;
        json_object_foreach(object, key, member)
                if (!tree_is_small(member, depth + 1))
                        return false;
        for (size_t i = 0; i < json_array_size(value); i++)
                if (!tree_is_small(json_array_get(value, i), depth + 1))
                        return false;
        return true;
}

int json_parse(JsonValue **ret, const char *text, size_t size)
{
        CLEANUP(json_freep) JsonValue *value = NULL;
        int r = load(&value, text, size);

        if (r < 0)
                return r;
        if (!tree_is_small(value, 1))
                return -EBADMSG;
        *ret = TAKE(value);
        return 0;
}

JsonValue *json_free(JsonValue *value)
{
        json_decref(value);
        return NULL;
}

bool json_is_object(const JsonValue *value)
{
        return value && json_typeof(value) == JSON_OBJECT;
}

bool json_is_array(const JsonValue *value)
{
        return value && json_typeof(value) == JSON_ARRAY;
}

bool json_is_null(const JsonValue *value)
{
        return value && json_typeof(value) == JSON_NULL;
}

const char *json_get_string(const JsonValue *value)
{
        return json_string_value(value);
}

bool json_get_integer(int64_t *ret, const JsonValue *value)
{
        if (!json_is_integer(value))
                return false;
        *ret = json_integer_value(value);
        return true;
}

bool json_get_boolean(bool *ret, const JsonValue *value)
{
        if (!json_is_boolean(value))
                return false;
        *ret = json_is_true(value);
        return true;
}

const JsonValue *json_member(const JsonValue *object, const char *key)
{
        return json_object_get(object, key);
}

void json_get_text(char *buffer, size_t size, const JsonValue *object, const char *key)
{
        text_set(buffer, size, json_get_string(json_member(object, key)));
}

size_t json_size(const JsonValue *value)
{
        return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

const JsonValue *json_element(const JsonValue *array, size_t index)
{
        return json_array_get(array, index);
}

const char *json_key_at(const JsonValue *object, size_t index)
{
        void *member = json_object_iter((json_t *)object);

        while (member && index-- > 0)
                member = json_object_iter_next((json_t *)object, member);
        return member ? json_object_iter_key(member) : NULL;
}
