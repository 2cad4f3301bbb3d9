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

#define TRAIL_STEPS_MAX 128
#define TRAIL_LINKS_MAX 40 /* as path_resolution(7) */

typedef struct TrailStep {
        char *directory;        /* one of its names, for people */
        uint64_t device, inode; /* of the directory */
        int directory_fd;       /* lives with the trail */
        char *name;
        int error; /* why the name led nowhere: an errno, or 0 */
        uint64_t entry_device, entry_inode;
        mode_t entry_mode;
        int entry_fd; /* of a directory, else -1 */
        char *link;   /* the target of a symbolic link, else NULL */
} TrailStep;

typedef struct Trail {
        TrailStep *steps;
        size_t n_steps;
        int blocked_error; /* why the first path that ended early did so: an errno, or 0 */
        char *blocked;     /* the directory that it could not enter */
} Trail;

#define TRAIL_NULL ((Trail){0})

/* Where a path ends: the file's directory and its name there, which is no symbolic link, and what
 * stood under that name. Descriptor and name live with the trail. */
typedef struct TrailEnd {
        int directory_fd;
        const char *name;
        uint64_t device, inode;
        mode_t mode;
} TrailEnd;

/* Adds the steps of an absolute path. `ret_end` may be NULL.
 * -ENOENT, -EACCES, -ELOOP and what else openat(2) says: the path leads to no file; the steps as
 * far as it goes are added. -E2BIG: more than TRAIL_STEPS_MAX. -ENOMEM. */
int trail_add(Trail *trail, const char *path, TrailEnd *ret_end);

/* Both looked up the same names and found the same. */
bool trail_equal(const Trail *a, const Trail *b);

void trail_done(Trail *trail);
