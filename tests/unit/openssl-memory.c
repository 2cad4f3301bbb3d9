#include "tests/unit/openssl-memory.h"

#include <stdlib.h>

#include <openssl/crypto.h>

static unsigned fail_at, n_allocations;

static bool fails(void)
{
        return ++n_allocations == fail_at;
}

static void *allocate(size_t size, const char *file, int line)
{
        return fails() ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
        return fails() ? NULL : realloc(old, size);
}

static void release(void *memory, const char *file, int line)
{
        free(memory);
}

bool openssl_memory_install(void)
{
        return CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

void openssl_memory_fail(unsigned number)
{
        n_allocations = 0;
        fail_at = number;
}

bool openssl_memory_reached(unsigned number)
{
        fail_at = 0;
        return n_allocations >= number;
}
