#pragma once

/*
 * Stamp: what stat(2) says of a file as a value to compare.
 *
 * Two equal stamps mean that nothing was written, replaced or re-pointed in between, as far as a
 * file system tells; the change time covers chmod and a restored modification time. It does not
 * tell two writes apart that fall into one tick of the file system's clock and leave the size the
 * same. Taking one opens nothing, so the manager may do it for the key file as well.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct Stamp {
        int error; /* 0, or the errno of stat(2); then the rest is 0 */
        uint64_t device, inode, size;
        int64_t modified_nsec, changed_nsec;
        unsigned mode;
} Stamp;

/* Symbolic links are followed. */
Stamp stamp_take(const char *path);

/* Of an open file, whatever stands under its name by now. */
Stamp stamp_take_fd(int fd);

bool stamp_equal(const Stamp *a, const Stamp *b);
