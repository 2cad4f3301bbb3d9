#pragma once

/*
 * File: reads a file with a size limit, replaces a file atomically, and compares what stat(2)
 * returns.
 *
 * Reading never blocks: files are opened with O_NONBLOCK, so that a FIFO cannot stop the caller,
 * and only regular files are read. Replacing writes a temporary file in the same directory and
 * renames it (rename(2)), so that a reader sees the old or the new content, never a part.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"

/* Reads `name` below `directory_fd` (or AT_FDCWD) into `ret`, at most `limit` bytes.
 * -EFBIG: larger than that. -EISDIR: a directory. -ENXIO: a FIFO, socket or device. Otherwise the
 * error of open(2), fstat(2) or read(2). `ret` is unchanged on failure. */
int file_read(Secret *ret, int directory_fd, const char *name, size_t limit);

/* Reads a descriptor from its current offset to its end; accepts every type of file. */
int file_read_fd(Secret *ret, int fd, size_t limit);

/* The same by single calls of read(2): appends to `content`. Returns 1 if there may be more, 0
 * at the end. -EFBIG: `content` would become larger than `limit`. */
int file_read_block(Secret *content, int fd, size_t limit);

/* Follows symbolic links. */
bool file_is_directory(const char *path);

/* Repeats write(2) until all bytes are written. */
int file_write_all(int fd, const void *data, size_t size);

/* Calls fsync(2) for the file and its directory: after a crash of the machine, too, the old or the
 * new content is there. */
int file_replace(const char *path, const void *data, size_t size, mode_t mode);

/* Removes the file durably. A file that does not exist is no error. */
int file_remove(const char *path);

/* Atomic for readers, but not durable: for files that can be written again. */
int file_replace_unsynced(const char *path, const void *data, size_t size, mode_t mode);

/* Creates a file that exists in memory only, memfd_create(2); it can be sealed and, from Linux 6.3
 * on, never executed. Returns the descriptor or a negative errno. */
int file_create_memory(const char *name);

/*
 * The result of stat(2) as a value to compare.
 *
 * Two equal values mean that the file was not written, replaced or linked elsewhere in between, as
 * far as the file system reports; the change time covers chmod(2) and a restored modification time.
 * Two writes within one tick of the file system's clock that leave the size unchanged are not
 * distinguished. Nothing is opened, so the manager may use this for the key file as well.
 */
typedef struct FileStat {
        int error; /* 0, or the errno of stat(2); then all other members are 0 */
        uint64_t device, inode, size;
        int64_t modified_nsec, changed_nsec;
        unsigned mode;
} FileStat;

/* Does not follow a symbolic link. */
FileStat file_stat_at(int directory_fd, const char *name);

/* Of an open file, even if its name means another file by now. */
FileStat file_stat_fd(int fd);

bool file_stat_equal(const FileStat *a, const FileStat *b);

/* Returns true if a write after a read at `read_usec` (wall clock) can have left the same value:
 * modification or change time are not older than the read by the coarsest tick of a file system,
 * the 2 s of FAT (doc/rotation.md, "stat and time"). A time more than a minute ahead was set by
 * a program and proves nothing. Pure. */
bool file_stat_is_racy(const FileStat *file, uint64_t read_usec);
