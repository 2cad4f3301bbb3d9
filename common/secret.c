#include "common/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int secret_allocate(Secret *secret, size_t capacity)
{
        char *data;

        if (capacity == SIZE_MAX)
                return -ENOMEM;
        data = calloc(1, capacity + 1);
        if (!data)
                return -ENOMEM;
        secret_done(secret);
        *secret = (Secret){.data = data, .capacity = capacity};
        return 0;
}

int secret_append(Secret *secret, const void *data, size_t size)
{
        if (size > SIZE_MAX / 4 - secret->size)
                return -ENOMEM;
        if (!secret->data || secret->size + size > secret->capacity) {
                Secret larger = SECRET_NULL;
                int r = secret_allocate(&larger, (secret->size + size) * 2 + 64);

                if (r < 0)
                        return r;
                if (secret->size > 0)
                        memcpy(larger.data, secret->data, secret->size);
                larger.size = secret->size;
                secret_done(secret);
                *secret = larger;
        }
        if (size > 0)
                memcpy(secret->data + secret->size, data, size);
        secret->size += size;
        return 0;
}

void secret_truncate(Secret *secret, size_t size)
{
        if (size >= secret->size)
                return;
        explicit_bzero(secret->data + size, secret->size - size);
        secret->size = size;
}

bool secret_equal(const Secret *a, const Secret *b)
{
        volatile unsigned char difference = 0;

        if (a->size != b->size)
                return false;
        for (size_t i = 0; i < a->size; i++)
                difference |= (unsigned char)(a->data[i] ^ b->data[i]);
        return difference == 0;
}

void secret_done(Secret *secret)
{
        if (secret->data)
                explicit_bzero(secret->data, secret->capacity);
        free(secret->data);
        *secret = SECRET_NULL;
}
