#pragma once

/*
 * PEM fixture: the sets that the build makes (tests/pki), read and parsed.
 */

#include <limits.h>

#include "daemon/inspect/pem.h"

#define PEM_FIXTURE_PATH_MAX (PATH_MAX + 64)

/* The directory of all sets. */
void pem_fixture_set_root(const char *directory);

/* The paths of a set's files; `pointers` point into `paths`. */
void pem_fixture_paths(
        char paths[][PEM_FIXTURE_PATH_MAX], const char *pointers[], const char *name);

/* A set without errors; the caller frees it with pem_done(). */
Pem pem_fixture_load(const char *name);
