#include "daemon/inspect/snapshot.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/macro.h"
#include "daemon/watch/path-walk.h"

/* Descriptors stay open between reading and comparing: a name may lead to another file by then. */
typedef struct OpenFiles {
        int fd[_MATERIAL_FILE_MAX];
} OpenFiles;

static void open_files_done(OpenFiles *files)
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                closep(&files->fd[i]);
}

/* Opens the file at the end of the path walk. Another file under its name is a change. */
static int open_file(
        Snapshot *snapshot, int *ret_fd, MaterialFile file, const PathEnd *end, Progress *progress)
{
        CLEANUP(closep) int fd = -1;

        if (!S_ISREG(end->mode)) /* not opened: opening a device can have an effect */
                return S_ISDIR(end->mode) ? -EISDIR : -ENXIO;
        fd = openat(end->directory_fd, end->name,
                O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
        progress_count(progress);
        if (fd < 0) {
                snapshot->files_changed |= errno == ENOENT || errno == ELOOP;
                return -errno;
        }
        snapshot->stat[file] = file_stat_fd(fd);
        progress_count(progress);
        snapshot->files_changed |= snapshot->stat[file].device != end->device ||
                snapshot->stat[file].inode != end->inode;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int read_file(Secret *ret, int fd, uint64_t size, Progress *progress)
{
        int r;

        if (size > SNAPSHOT_FILE_LIMIT)
                return -EFBIG;
        /* One byte more, so that the content need not grow unless the file grows. */
        r = secret_allocate(ret, size + 1);
        if (r < 0)
                return r;
        do {
                r = file_read_block(ret, fd, SNAPSHOT_FILE_LIMIT);
                progress_count(progress);
        } while (r > 0);
        if (r < 0)
                secret_done(ret);
        return r;
}

static int read_all(
        Snapshot *snapshot, const char *const paths[_MATERIAL_FILE_MAX], Progress *progress)
{
        CLEANUP(path_walk_done) PathWalk before = {.progress = progress};
        CLEANUP(path_walk_done) PathWalk after = {.progress = progress};
        CLEANUP(open_files_done) OpenFiles files = {{-1, -1, -1}};

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                PathEnd end = {0};
                int r = path_walk_add(&before, paths[i], &end);

                if (end.closed && !(snapshot->closed[i] = strdup(end.closed)))
                        return -ENOMEM;
                if (r == 0)
                        r = open_file(snapshot, &files.fd[i], i, &end, progress);
                if (r == 0)
                        r = read_file(&snapshot->content[i], files.fd[i], snapshot->stat[i].size,
                                progress);
                if (r == -ENOMEM)
                        return r;
                /* ESTALE: a file server replaced the open file. */
                snapshot->files_changed |= r == -ESTALE;
                snapshot->error[i] = r;
        }
        /* After all were read: the first file may have changed while the last was read. */
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                FileStat last;

                if (path_walk_add(&after, paths[i], NULL) == -ENOMEM)
                        return -ENOMEM;
                if (files.fd[i] < 0)
                        continue;
                last = file_stat_fd(files.fd[i]);
                progress_count(progress);
                snapshot->files_changed |= !file_stat_equal(&last, &snapshot->stat[i]);
        }
        snapshot->files_changed |= !path_walk_equal(&before, &after);
        return 0;
}

int snapshot_take(Snapshot *ret, const char *const paths[_MATERIAL_FILE_MAX], Progress *progress)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;

        for (unsigned i = 0; i < SNAPSHOT_ATTEMPTS; i++) {
                int r;

                snapshot_done(&snapshot);
                r = read_all(&snapshot, paths, progress);
                if (r < 0)
                        return r;
                if (!snapshot.files_changed)
                        break;
        }
        *ret = snapshot;
        snapshot = SNAPSHOT_NULL;
        return 0;
}

void snapshot_done(Snapshot *snapshot)
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                secret_done(&snapshot->content[i]);
                free(snapshot->closed[i]);
        }
        *snapshot = SNAPSHOT_NULL;
}
