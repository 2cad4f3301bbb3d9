#pragma once

/*
 * Rollout: the set of a material that may be on its way into clusters, on disk while the daemon
 * runs (doc/design.md, "Records").
 *
 * The file $STATE_DIRECTORY/<material>.rollout is written before the first CALL with a set and
 * removed at the end of the daemon, when each record has its result. If it exists at a start, the
 * daemon before was killed: a cluster whose record names another set may have this one. While
 * only the canary of a wave gets the set, the file names it, and no other cluster is in doubt.
 */

#include <stdbool.h>

#include "daemon/model/record.h"

/* The content of a file that is none of these: different from every fingerprint. */
#define ROLLOUT_UNREADABLE "?"

typedef struct Rollout {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* "": none; or ROLLOUT_UNREADABLE */
        char cluster[CONFIG_NAME_MAX]; /* the only one that gets it; "": any of the material */
} Rollout;

/* Without a file there is none. */
void rollout_load(Rollout *ret, const char *material);

/* Replaces the file durably. */
int rollout_save(const char *material, const Rollout *rollout);

/* Removes the file. A crash of the machine may bring it back, which costs one more import. */
void rollout_remove(const char *material);

/* Forgets the imported set of the record of a cluster, unless it is the one of the rollout, or the
 * rollout is that of another cluster. Returns true if it did. */
bool rollout_doubt(const Rollout *rollout, const char *cluster, Record *record);
