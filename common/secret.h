#pragma once

/*
 * Secret: bytes that are wiped before they are given back.
 *
 * Only short-lived children ever hold one. A Secret has no to-string and is never an argument of
 * a log function; nothing outside it keeps a copy. It does not call mlock(): the service runs
 * with MemorySwapMax=0 and a child lives for seconds.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct Secret {
        char *data;      /* always followed by a NUL byte that `size` does not count */
        size_t size;     /* bytes in use */
        size_t capacity; /* bytes allocated, without the NUL */
} Secret;

#define SECRET_NULL ((Secret){0})

/* Room for `capacity` bytes, all zero; `size` is 0. The old content is wiped and freed. */
int secret_allocate(Secret *secret, size_t capacity);

/* Appends; grows by copying and wiping the old place. */
int secret_append(Secret *secret, const void *data, size_t size);

/* Cuts to `size` bytes and wipes the rest. */
void secret_truncate(Secret *secret, size_t size);

/* The time it takes tells nothing but whether the sizes are the same. */
bool secret_equal(const Secret *a, const Secret *b);

/* Wipes and frees; leaves SECRET_NULL behind, so it may be called at any time and twice. */
void secret_done(Secret *secret);
