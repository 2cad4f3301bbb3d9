#pragma once

/*
 * PEM fixture: the sets that the build makes (tests/pki), read and parsed.
 */

#include "daemon/inspect/pem.h"

/* The directory of all sets. */
void pem_fixture_set_root(const char *directory);

/* A set without errors; the caller frees it with pem_done(). */
Pem pem_fixture_load(const char *name);
