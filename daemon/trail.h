#pragma once

/*
 * Trail: every place where a change could make a path mean another file.
 *
 * The path is walked component by component. Each step is a directory and the name that is looked
 * up in it, be it a directory, a symbolic link (then the walk goes on at its target) or the file:
 * a change of that name in that directory is what a watcher has to see, and no other. A component
 * that does not exist ends the walk; its directory is where it will appear.
 */

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define TRAIL_STEPS_MAX 128
#define TRAIL_LINKS_MAX 40 /* as path_resolution(7) */

typedef struct TrailStep {
        char directory[PATH_MAX];
        char name[NAME_MAX + 1];
        uint64_t device, inode; /* of the directory */
} TrailStep;

typedef struct Trail {
        TrailStep *steps;
        size_t n_steps;
} Trail;

#define TRAIL_NULL ((Trail){0})

/* Adds the steps of an absolute path. -ENOMEM; -E2BIG: more than TRAIL_STEPS_MAX; a loop or a
 * place that cannot be looked at just ends the walk. */
int trail_add(Trail *trail, const char *path);
void trail_done(Trail *trail);
