#include "daemon/watch/path-walk.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/macro.h"
#include "common/text.h"

/* The state while a path is walked: the current directory and the rest of the path. */
typedef struct Cursor {
        char directory[PATH_MAX]; /* "" is the root */
        char rest[PATH_MAX];
        int fd; /* borrowed from a step, or the root's */
        unsigned links;
} Cursor;

static void step_done(PathStep *step)
{
        closep(&step->entry_fd);
        closep(&step->directory_fd);
        free(step->directory);
        free(step->name);
        free(step->link);
}

/* Opens the entry without following a symbolic link. O_DIRECTORY first, because only that
 * triggers an automount (open(2), O_PATH). */
static int open_entry(int directory_fd, const char *name, Progress *progress)
{
        int fd = openat(directory_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        progress_count(progress);
        if (fd < 0 && errno == ENOTDIR)
                fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        progress_count(progress);
        return fd < 0 ? -errno : fd;
}

static int stat_fd(struct stat *ret, int fd, Progress *progress)
{
        int r = fstat(fd, ret) < 0 ? -errno : 0;

        progress_count(progress);
        return r;
}

static int read_link(char **ret, int fd)
{
        char target[PATH_MAX];
        ssize_t length = readlinkat(fd, "", target, sizeof(target) - 1);

        if (length < 0)
                return -errno;
        if (length == 0 || (size_t)length >= sizeof(target) - 1)
                return -ENAMETOOLONG;
        target[length] = '\0';
        *ret = strdup(target);
        return *ret ? 0 : -ENOMEM;
}

static int look_up(PathStep *step, Progress *progress)
{
        CLEANUP(closep) int fd = open_entry(step->directory_fd, step->name, progress);
        struct stat st;
        int r = fd < 0 ? fd : stat_fd(&st, fd, progress);

        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                step->error = -r;
                step->closed = fd == -EACCES;
                return 0;
        }
        step->entry_device = st.st_dev;
        step->entry_inode = st.st_ino;
        step->entry_mode = st.st_mode;
        if (S_ISDIR(st.st_mode))
                step->entry_fd = TAKE_FD(fd);
        else if (S_ISLNK(st.st_mode)) {
                r = read_link(&step->link, fd);
                progress_count(progress);
                if (r == -ENOMEM)
                        return r;
                step->error = -r;
        }
        return 0;
}

static PathStep *find_step(const PathWalk *walk, const struct stat *directory, const char *name)
{
        for (size_t i = 0; i < walk->n_steps; i++) {
                PathStep *step = &walk->steps[i];

                if (step->device == directory->st_dev && step->inode == directory->st_ino &&
                        strcmp(step->name, name) == 0)
                        return step;
        }
        return NULL;
}

static int add_step(PathWalk *walk, PathStep **ret, const Cursor *cursor,
        const struct stat *directory, const char *name)
{
        PathStep *step;
        int r;

        if (walk->n_steps >= PATH_WALK_STEPS_MAX)
                return -E2BIG;
        if (!GROW(walk->steps, walk->n_steps))
                return -ENOMEM;
        step = &walk->steps[walk->n_steps];
        *step = (PathStep){
                .directory = strdup(cursor->directory[0] != '\0' ? cursor->directory : "/"),
                .device = directory->st_dev,
                .inode = directory->st_ino,
                .directory_fd = fcntl(cursor->fd, F_DUPFD_CLOEXEC, 3),
                .name = strdup(name),
                .entry_fd = -1,
        };
        if (step->directory_fd < 0)
                r = -errno;
        else
                r = step->directory && step->name ? look_up(step, walk->progress) : -ENOMEM;
        if (r < 0) {
                step_done(step);
                return r;
        }
        walk->n_steps++;
        *ret = step;
        return 0;
}

/* Removes the first component from the rest of the path. Returns false if there is none. */
static bool next_component(char *name, size_t size, char *rest)
{
        char *start = rest + strspn(rest, "/");
        size_t length = strcspn(start, "/");

        if (length == 0 || length >= size)
                return false;
        memcpy(name, start, length);
        name[length] = '\0';
        memmove(rest, start + length, strlen(start + length) + 1);
        return true;
}

/* The rest of the path becomes the link's target followed by the old rest. */
static int follow(Cursor *cursor, const char *target, int root_fd)
{
        char joined[PATH_MAX];
        int n = snprintf(joined, sizeof(joined), "%s/%s", target, cursor->rest);

        if (n < 0 || (size_t)n >= sizeof(joined))
                return -ENAMETOOLONG;
        if (++cursor->links > PATH_WALK_LINKS_MAX)
                return -ELOOP;
        memcpy(cursor->rest, joined, (size_t)n + 1);
        if (target[0] == '/') {
                cursor->directory[0] = '\0';
                cursor->fd = root_fd;
        }
        return 0;
}

static int enter(Cursor *cursor, const PathStep *step)
{
        size_t used = strlen(cursor->directory);
        int n = snprintf(
                cursor->directory + used, sizeof(cursor->directory) - used, "/%s", step->name);

        if (n < 0 || (size_t)n >= sizeof(cursor->directory) - used)
                return -ENAMETOOLONG;
        cursor->fd = step->entry_fd;
        return 0;
}

static bool is_last(const Cursor *cursor)
{
        return cursor->rest[strspn(cursor->rest, "/")] == '\0';
}

static int walk_path(PathWalk *walk, Cursor *cursor, int root_fd, PathEnd *ret_end)
{
        char name[NAME_MAX + 1];

        while (next_component(name, sizeof(name), cursor->rest)) {
                PathStep *step = NULL;
                struct stat directory;
                int r;

                if (strcmp(name, ".") == 0)
                        continue;
                r = stat_fd(&directory, cursor->fd, walk->progress);
                if (r < 0)
                        return r;
                step = find_step(walk, &directory, name);
                if (!step)
                        r = add_step(walk, &step, cursor, &directory, name);
                if (r < 0)
                        return r;
                if (step->closed)
                        ret_end->closed = step->directory;
                if (step->error != 0)
                        return -step->error;
                if (step->link)
                        r = follow(cursor, step->link, root_fd);
                else if (!is_last(cursor))
                        r = step->entry_fd >= 0 ? enter(cursor, step) : -ENOTDIR;
                else {
                        *ret_end = (PathEnd){
                                .directory_fd = step->directory_fd,
                                .name = step->name,
                                .device = step->entry_device,
                                .inode = step->entry_inode,
                                .mode = step->entry_mode,
                        };
                        return 0;
                }
                if (r < 0)
                        return r;
        }
        return is_last(cursor) ? -ENOENT : -ENAMETOOLONG;
}

/* A missing file does not block: the walk has reached the directory in which it will appear. */
static void set_blocked(PathWalk *walk, const Cursor *cursor, int error, const char *closed)
{
        const PathStep *last = walk->n_steps > 0 ? &walk->steps[walk->n_steps - 1] : NULL;

        if (walk->blocked_error != 0 || (error == ENOENT && is_last(cursor)))
                return;
        walk->blocked_error = error;
        if (closed)
                walk->blocked = strdup(closed);
        else if (!last ||
                asprintf(&walk->blocked, "%s/%s", last->directory[1] != '\0' ? last->directory : "",
                        last->name) < 0)
                walk->blocked = NULL;
}

int path_walk_add(PathWalk *walk, const char *path, PathEnd *ret_end)
{
        CLEANUP(closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        Cursor cursor = {.fd = root_fd};
        PathEnd end = {.directory_fd = -1};
        int r;

        if (root_fd < 0)
                return -errno;
        if (strlen(path) >= sizeof(cursor.rest))
                return -ENAMETOOLONG;
        memcpy(cursor.rest, path, strlen(path) + 1);
        r = walk_path(walk, &cursor, root_fd, &end);
        if (r < 0)
                set_blocked(walk, &cursor, -r, end.closed);
        if (ret_end)
                *ret_end = end;
        return r;
}

static bool step_equal(const PathStep *a, const PathStep *b)
{
        return a->device == b->device && a->inode == b->inode && strcmp(a->name, b->name) == 0 &&
                a->error == b->error && a->entry_device == b->entry_device &&
                a->entry_inode == b->entry_inode && text_equal(a->link, b->link);
}

bool path_walk_equal(const PathWalk *a, const PathWalk *b)
{
        if (a->n_steps != b->n_steps)
                return false;
        for (size_t i = 0; i < a->n_steps; i++)
                if (!step_equal(&a->steps[i], &b->steps[i]))
                        return false;
        return true;
}

void path_walk_done(PathWalk *walk)
{
        for (size_t i = 0; i < walk->n_steps; i++)
                step_done(&walk->steps[i]);
        free(walk->steps);
        free(walk->blocked);
        *walk = PATH_WALK_NULL;
}
