#pragma once

/*
 * Passage: the way to the three files, hop by hop, and who may pass: what somebody can enter, list
 * and read, tried by a child that became them, because nothing else knows all of modes, groups,
 * access lists, mounts and sandboxes.
 */

#include <limits.h>

#include "ctl/explain/service-identity.h"
#include "daemon/model/rule.h"
#include "daemon/watch/path-walk.h"

typedef struct PathHop {
        char path[PATH_MAX];
        char link[PATH_MAX]; /* the target of a symbolic link; "" for all else */
        mode_t mode;
        uid_t uid;
        gid_t gid;
        int error;       /* why the name led nowhere: an errno, or 0; then the rest is empty */
        int enter_error; /* a directory: to go through it */
        int read_error;  /* a directory: to watch it; a file: to read it */
} PathHop;

typedef struct PathAccess {
        int error; /* why the way could not be walked at all: an errno, or 0 */
        bool as_service;
        int path_error[_MATERIAL_FILE_MAX]; /* an errno, or 0 */
        size_t n_hops;
        PathHop hops[PATH_WALK_STEPS_MAX];
} PathAccess;

/* `guise` NULL: as the caller. The passage is given back with path_access_free(). */
int path_access_check(PathAccess **ret, const ServiceIdentity *identity,
        const char *const paths[_MATERIAL_FILE_MAX]);
PathAccess *path_access_free(PathAccess *access);
DEFINE_CLEANUP(PathAccess *, path_access_free);

/* The first hop that cannot be passed or read; NULL: there is none. */
const PathHop *path_access_denied(const PathAccess *access);

const char *path_hop_kind(const PathHop *hop); /* "dir", "link", "file", "other"; "-": not known */
const char *path_hop_verdict(const PathHop *hop); /* "passed", "closed", "readable", ... */
