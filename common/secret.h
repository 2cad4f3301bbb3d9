#pragma once

/*
 * Secret: a growing buffer that is wiped before its memory is freed.
 *
 * Keys and passwords exist only in short-lived children. A Secret has no to-string function and is
 * never an argument of a log function. mlock(2) is not used: the service runs with MemorySwapMax=0
 * and a child lives for seconds.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct Secret {
        char *data;      /* followed by a NUL byte that `size` does not count */
        size_t size;     /* bytes in use */
        size_t capacity; /* bytes allocated, without the NUL */
} Secret;

#define SECRET_NULL ((Secret){0})

/* Allocates `capacity` zero bytes and sets `size` to 0. The old content is wiped and freed.
 * -ENOMEM: the secret is unchanged. */
int secret_allocate(Secret *secret, size_t capacity);

/* Appends; when it grows, the bytes are copied and the old memory is wiped. -ENOMEM. */
int secret_append(Secret *secret, const void *data, size_t size);

/* Shortens to `size` bytes and wipes the rest; does nothing if there are no more. */
void secret_truncate(Secret *secret, size_t size);

/* The time of the comparison depends on the sizes only. */
bool secret_equal(const Secret *a, const Secret *b);

/* Wipes, frees and sets SECRET_NULL, so it may be called twice. */
void secret_done(Secret *secret);
