#pragma once

/*
 * Whole files: read one with a limit, replace one durably.
 *
 * Reading never blocks and never follows its luck: O_NONBLOCK so that a FIFO cannot hold us, and
 * only regular files are read. Replacing is temporary in the same directory, write, fsync, rename,
 * fsync of the directory (rename(2), fsync(2)): after a crash the old or the new content stands
 * there, never a part.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"

/* Reads `name` below `directory_fd` (or AT_FDCWD) into `ret`, at most `limit` bytes.
 * -EFBIG: larger than that. -EISDIR: a directory. -EBADF never; -ENXIO: FIFO, socket or device.
 * Otherwise what open(2), fstat(2) or read(2) said. `ret` is untouched on failure. */
int file_read(Secret *ret, int directory_fd, const char *name, size_t limit);

/* Reads an open descriptor from its present position to its end; the kind is not checked. */
int file_read_fd(Secret *ret, int fd, size_t limit);

/* After symbolic links. */
bool file_is_directory(const char *path);

/* Writes all of it, however often write(2) has to be called. */
int file_write_all(int fd, const void *data, size_t size);

int file_replace(const char *path, const void *data, size_t size, mode_t mode);

/* At once for readers, but not safe from a crash of the machine: for what can be made again. */
int file_replace_unsynced(const char *path, const void *data, size_t size, mode_t mode);

/*
 * Stamp: what stat(2) says of a file as a value to compare.
 *
 * Two equal stamps mean that nothing was written, replaced or re-pointed in between, as far as a
 * file system tells; the change time covers chmod and a restored modification time. It does not
 * tell two writes apart that fall into one tick of the file system's clock and leave the size the
 * same. Taking one opens nothing, so the manager may do it for the key file as well.
 */

typedef struct FileStat {
        int error; /* 0, or the errno of stat(2); then the rest is 0 */
        uint64_t device, inode, size;
        int64_t modified_nsec, changed_nsec;
        unsigned mode;
} FileStat;

/* Symbolic links are followed. */
FileStat file_stat(const char *path);

/* Of an open file, whatever stands under its name by now. */
FileStat file_stat_fd(int fd);

bool file_stat_equal(const FileStat *a, const FileStat *b);
