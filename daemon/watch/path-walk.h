#pragma once

/*
 * Trail: every place where a change could make a path mean another file.
 *
 * The path is walked component by component. Each step is a directory and the name that is looked
 * up in it, be it a directory, a symbolic link (then the walk goes on at its target) or the file:
 * a change of that name in that directory is what a watcher has to see, and no other. A component
 * that does not exist ends the walk; its directory is where it will appear.
 *
 * Each name is looked up once and everything below it is reached through descriptors. So all
 * paths that lead through one symbolic link go the same way, however often it is swapped
 * meanwhile: two generations of a symlinked directory cannot be mixed. Descriptors are opened with
 * O_PATH, which reads nothing and raises no event.
 */

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macro.h"

#define PATH_WALK_STEPS_MAX 128
#define PATH_WALK_LINKS_MAX 40 /* as path_resolution(7) */

typedef struct PathStep {
        char *directory;        /* one of its names, for people */
        uint64_t device, inode; /* of the directory */
        int directory_fd;       /* lives with the trail */
        char *name;
        int error; /* why the name led nowhere: an errno, or 0 */
        uint64_t entry_device, entry_inode;
        mode_t entry_mode;
        int entry_fd; /* of a directory, else -1 */
        char *link;   /* the target of a symbolic link, else NULL */
} PathStep;

typedef struct PathWalk {
        PathStep *steps;
        size_t n_steps;
        int blocked_error; /* why the first path that ended early did so: an errno, or 0 */
        char *blocked;     /* the directory that it could not enter */
} PathWalk;

#define PATH_WALK_NULL ((PathWalk){0})

/* Where a path ends: the file's directory and its name there, which is no symbolic link, and what
 * stood under that name. Descriptor and name live with the trail. */
typedef struct PathEnd {
        int directory_fd;
        const char *name;
        uint64_t device, inode;
        mode_t mode;
} PathEnd;

/* Adds the steps of an absolute path. `ret_end` may be NULL.
 * -ENOENT, -EACCES, -ELOOP and what else openat(2) says: the path leads to no file; the steps as
 * far as it goes are added. -E2BIG: more than PATH_WALK_STEPS_MAX. -ENOMEM. */
int path_walk_add(PathWalk *path_walk, const char *path, PathEnd *ret_end);

/* Both looked up the same names and found the same. */
bool path_walk_equal(const PathWalk *a, const PathWalk *b);

void path_walk_done(PathWalk *path_walk);
