#pragma once

/*
 * Path access: checks which components ("hops") of the paths to the three files the service, or the
 * caller, can pass, watch and read.
 *
 * A child process with the identity of the service tries each access. Computing it from modes
 * would miss access lists, mounts and the sandbox of the unit. Files are opened and closed;
 * nothing is read.
 */

#include <limits.h>

#include "ctl/explain/service-identity.h"
#include "daemon/model/rule.h"
#include "daemon/watch/path-walk.h"

typedef struct PathHop {
        char path[PATH_MAX];
        char link[PATH_MAX]; /* the target of a symbolic link; "" for others */
        mode_t mode;
        uid_t uid;
        gid_t gid;
        int error;       /* of looking up the name: an errno, or 0; if not 0, the rest is empty */
        int enter_error; /* of passing through a directory: an errno, or 0 */
        int read_error;  /* of watching a directory or reading a file: an errno, or 0 */
} PathHop;

typedef struct PathAccess {
        int error; /* why no hop could be checked: an errno, or 0 */
        bool as_service;
        size_t n_hops;
        PathHop hops[PATH_WALK_STEPS_MAX];
} PathAccess;

/* One without a hop, shared with the children of this process. A negative errno. */
int path_access_new(PathAccess **ret);

/* Checks the absolute paths; `identity` NULL: with the access of the caller. Failures within the
 * child are in `error` of the result; ETIMEDOUT: the child was ended after 20 seconds. */
int path_access_check(PathAccess **ret, const ServiceIdentity *identity,
        const char *const paths[_MATERIAL_FILE_MAX]);
PathAccess *path_access_free(PathAccess *access);
DEFINE_CLEANUP(PathAccess *, path_access_free);

/* Returns true if the hop cannot be looked up, passed, watched or read. */
bool path_hop_is_denied(const PathHop *hop);

/* Returns the first denied hop, or NULL. */
const PathHop *path_access_denied(const PathAccess *access);

const char *path_hop_kind(const PathHop *hop);    /* "dir", "link", "file", "other"; "-": unknown */
const char *path_hop_verdict(const PathHop *hop); /* "passed", "closed", "readable", ... */
