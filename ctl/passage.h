#pragma once

/*
 * Passage: the way to the three files, hop by hop, and who may pass: what somebody can enter, list
 * and read, tried by a child that became them, because nothing else knows all of modes, groups,
 * access lists, mounts and sandboxes.
 */

#include <limits.h>

#include "ctl/guise.h"
#include "daemon/rule.h"
#include "daemon/trail.h"

typedef struct Hop {
        char path[PATH_MAX];
        char link[PATH_MAX]; /* the target of a symbolic link; "" for all else */
        mode_t mode;
        uid_t uid;
        gid_t gid;
        int error;       /* why the name led nowhere: an errno, or 0; then the rest is empty */
        int enter_error; /* a directory: to go through it */
        int read_error;  /* a directory: to watch it; a file: to read it */
} Hop;

typedef struct Passage {
        int error; /* why the way could not be walked at all: an errno, or 0 */
        bool in_guise;
        int path_error[_MATERIAL_FILE_MAX]; /* an errno, or 0 */
        size_t n_hops;
        Hop hops[TRAIL_STEPS_MAX];
} Passage;

/* `guise` NULL: as the caller. The passage is given back with passage_free(). */
int passage_walk(Passage **ret, const Guise *guise, const char *const paths[_MATERIAL_FILE_MAX]);
Passage *passage_free(Passage *passage);
DEFINE_CLEANUP(Passage *, passage_free);

/* The first hop that cannot be passed or read; NULL: there is none. */
const Hop *passage_blocked(const Passage *passage);

const char *hop_kind(const Hop *hop);    /* "dir", "link", "file", "other"; "-": not known */
const char *hop_verdict(const Hop *hop); /* "passed", "closed", "readable", ... */
