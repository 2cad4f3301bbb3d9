#include "daemon/stamp.h"

#include <sys/stat.h>

#include <errno.h>

static int64_t nsec(struct timespec time)
{
        return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static Stamp stamp_of(const struct stat *st)
{
        return (Stamp){
                .device = st->st_dev,
                .inode = st->st_ino,
                .size = (uint64_t)st->st_size,
                .modified_nsec = nsec(st->st_mtim),
                .changed_nsec = nsec(st->st_ctim),
                .mode = st->st_mode,
        };
}

Stamp stamp_take(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return (Stamp){.error = errno};
        return stamp_of(&st);
}

Stamp stamp_take_fd(int fd)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return (Stamp){.error = errno};
        return stamp_of(&st);
}

bool stamp_equal(const Stamp *a, const Stamp *b)
{
        return a->error == b->error && a->device == b->device && a->inode == b->inode &&
                a->size == b->size && a->modified_nsec == b->modified_nsec &&
                a->changed_nsec == b->changed_nsec && a->mode == b->mode;
}
