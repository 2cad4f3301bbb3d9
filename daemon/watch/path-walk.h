#pragma once

/*
 * Path walk: resolves paths and records every directory where a change could make a path mean
 * another file.
 *
 * The walk resolves component by component (path_resolution(7)). Each step is a directory and the
 * name that is looked up in it: a directory, a symbolic link (the walk continues at its target)
 * or the file. These names in these directories are all that a watcher must watch. A component
 * that does not exist ends the walk; it will appear in the directory of the last step.
 *
 * Each name is looked up once, and everything below it is reached through descriptors. So all
 * paths through one symbolic link take the same way even if the link is swapped meanwhile: two
 * generations of a symlinked directory cannot be mixed. Descriptors are opened with O_PATH, which
 * reads nothing and raises no event (open(2)).
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/watch/progress.h"

#define PATH_WALK_STEPS_MAX 128
#define PATH_WALK_LINKS_MAX 40 /* the limit of path_resolution(7) */

typedef struct PathStep {
        char *directory;        /* one of its paths, for messages */
        uint64_t device, inode; /* of the directory */
        int directory_fd;       /* owned by the walk */
        char *name;
        int error;   /* why the name cannot be followed: an errno, or 0 */
        bool closed; /* the directory may not be entered: no right to the entry is needed */
        uint64_t entry_device, entry_inode;
        mode_t entry_mode;
        int entry_fd; /* a directory; else -1 */
        char *link;   /* the target of a symbolic link, else NULL */
} PathStep;

typedef struct PathWalk {
        Progress *progress; /* counts each call to the file system; NULL: none */
        PathStep *steps;
        size_t n_steps;
        int blocked_error; /* why the first path that ended early did: an errno, or 0 */
        char *blocked;     /* where it ended, or NULL */
} PathWalk;

#define PATH_WALK_NULL ((PathWalk){0})

/* The end of a path: the file's directory, its name there, which is not a symbolic link, and the
 * inode that had this name. The walk owns descriptor and texts. */
typedef struct PathEnd {
        const char *closed; /* with -EACCES: the directory that may not be entered; else NULL */
        int directory_fd;
        const char *name;
        uint64_t device, inode;
        mode_t mode;
} PathEnd;

/* Adds the steps of an absolute path; a step that another path has already is not added again.
 * `ret_end` is set also if the path leads to no file, and may be NULL. -ENOENT, -EACCES, -ELOOP and
 * other errors of openat(2): the path leads to no file; the steps until there are added. -E2BIG:
 * more than PATH_WALK_STEPS_MAX. -ENOMEM. */
int path_walk_add(PathWalk *walk, const char *path, PathEnd *ret_end);

/* Returns true if both walks looked up the same names with the same results. */
bool path_walk_equal(const PathWalk *a, const PathWalk *b);

void path_walk_done(PathWalk *walk);
