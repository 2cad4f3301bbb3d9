#pragma once

/*
 * Rollout: the set of a material that may be on its way into clusters, on disk while the daemon
 * runs (doc/design.md, "Records").
 *
 * The file $STATE_DIRECTORY/<material>.rollout is written before the first CALL with a set and
 * removed at the end of the daemon, when each record has its result. If it exists at a start, the
 * daemon before was killed: a cluster whose record names another set may have this one.
 */

#include <stdbool.h>

#include "daemon/model/record.h"

/* The content of a file that is none of these: different from every fingerprint. */
#define ROLLOUT_UNREADABLE "?"

/* Reads the fingerprint: "" if there is no file, ROLLOUT_UNREADABLE if it cannot be read. */
void rollout_load(char ret[static REPORT_FINGERPRINT_MAX], const char *material);

/* Replaces the file durably. */
int rollout_save(const char *material, const char *fingerprint);

/* Removes the file. A crash of the machine may bring it back, which costs one more import. */
void rollout_remove(const char *material);

/* Forgets the imported set of a record unless it is the one of the rollout. Returns true if it
 * did. */
bool rollout_doubt(const char *fingerprint, Record *record);
