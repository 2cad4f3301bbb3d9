#include "common/file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/macro.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* memfd_create(2), Linux 6.3 */
#endif

int file_read_block(Secret *content, int fd, size_t limit)
{
        char block[4096];
        ssize_t n;
        int r;

        do
                n = read(fd, block, sizeof(block));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n > 0 && (size_t)n > limit - content->size)
                r = -EFBIG;
        else
                r = secret_append(content, block, (size_t)n);
        explicit_bzero(block, (size_t)n);
        return r < 0 ? r : n > 0;
}

int file_read_fd(Secret *ret, int fd, size_t limit)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit)
                return -EFBIG;
        /* One byte more, so that secret_append() need not grow it unless the file grows. */
        r = secret_allocate(&content, (size_t)(st.st_size > 0 ? st.st_size : 0) + 1);
        if (r < 0)
                return r;
        do
                r = file_read_block(&content, fd, limit);
        while (r > 0);
        if (r < 0)
                return r;
        secret_done(ret);
        *ret = content;
        content = SECRET_NULL;
        return 0;
}

int file_read(Secret *ret, int directory_fd, const char *name, size_t limit)
{
        CLEANUP(closep)
        int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
        return file_read_fd(ret, fd, limit);
}

bool file_is_directory(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int file_write_all(int fd, const void *data, size_t size)
{
        const char *cursor = data;

        while (size > 0) {
                ssize_t n = write(fd, cursor, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                cursor += n;
                size -= (size_t)n;
        }
        return 0;
}

int file_create_memory(const char *name)
{
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

static int sync_directory(const char *path)
{
        CLEANUP(closep) int fd = -1;
        CLEANUP(freep) char *directory = NULL;
        const char *slash = strrchr(path, '/');

        directory = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
        if (!directory)
                return -ENOMEM;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int replace(const char *path, const void *data, size_t size, mode_t mode, bool durable)
{
        CLEANUP(freep) char *temporary = NULL;
        CLEANUP(closep) int fd = -1;
        int r;

        if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
                return -ENOMEM;
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = file_write_all(fd, data, size);
        if (r == 0 &&
                (fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0) || rename(temporary, path) < 0))
                r = -errno;
        if (r < 0) {
                (void)unlink(temporary);
                return r;
        }
        return durable ? sync_directory(path) : 0;
}

int file_replace(const char *path, const void *data, size_t size, mode_t mode)
{
        return replace(path, data, size, mode, true);
}

int file_replace_unsynced(const char *path, const void *data, size_t size, mode_t mode)
{
        return replace(path, data, size, mode, false);
}

int file_remove(const char *path)
{
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : -errno;
        return sync_directory(path);
}

static int64_t nsec(struct timespec time)
{
        return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* `r`: what stat(2) or fstat(2) returned. */
static FileStat file_stat_from(int r, const struct stat *st)
{
        if (r < 0)
                return (FileStat){.error = errno};
        return (FileStat){
                .device = st->st_dev,
                .inode = st->st_ino,
                .size = (uint64_t)st->st_size,
                .modified_nsec = nsec(st->st_mtim),
                .changed_nsec = nsec(st->st_ctim),
                .mode = st->st_mode,
        };
}

FileStat file_stat_at(int directory_fd, const char *name)
{
        struct stat st;

        return file_stat_from(fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW), &st);
}

FileStat file_stat_fd(int fd)
{
        struct stat st;

        return file_stat_from(fstat(fd, &st), &st);
}

#define FILE_TICK_NSEC (2 * INT64_C(1000000000))
#define FILE_SKEW_NSEC (60 * INT64_C(1000000000)) /* of the clock of a file server */

static bool is_racy(int64_t time_nsec, uint64_t read_usec)
{
        int64_t age_nsec = (int64_t)read_usec * 1000 - time_nsec;

        return age_nsec <= FILE_TICK_NSEC && age_nsec >= -FILE_SKEW_NSEC;
}

bool file_stat_is_racy(const FileStat *file, uint64_t read_usec)
{
        return file->error == 0 &&
                (is_racy(file->modified_nsec, read_usec) || is_racy(file->changed_nsec, read_usec));
}

bool file_stat_equal(const FileStat *a, const FileStat *b)
{
        return a->error == b->error && a->device == b->device && a->inode == b->inode &&
                a->size == b->size && a->modified_nsec == b->modified_nsec &&
                a->changed_nsec == b->changed_nsec && a->mode == b->mode;
}
