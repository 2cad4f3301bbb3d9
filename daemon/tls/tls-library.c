#include "daemon/tls/tls-library.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

static bool allocation_failed;

static void *checked(void *memory, size_t size)
{
        allocation_failed = allocation_failed || (!memory && size > 0);
        return memory;
}

static void *allocate(size_t size, const char *file, int line)
{
        return checked(malloc(size), size);
}

static void *reallocate(void *memory, size_t size, const char *file, int line)
{
        return checked(realloc(memory, size), size);
}

static void release(void *memory, const char *file, int line)
{
        free(memory);
}

int tls_library_prepare(void)
{
        SSL_CTX *context;
        SSL *connection = NULL;

        if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
                return -EALREADY;
        context = SSL_CTX_new(TLS_client_method());
        if (context)
                connection = SSL_new(context);
        SSL_free(connection);
        SSL_CTX_free(context);
        return connection ? tls_library_error() : -ENOMEM;
}

int tls_library_error(void)
{
        return allocation_failed ? -ENOMEM : 0;
}
