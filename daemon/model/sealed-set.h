#pragma once

/*
 * Sealed set: one good set of a material: its facts, and its payload as a sealed descriptor.
 *
 * The set has an owner for each reason to keep it: its material, as long as it is the one on disk,
 * and each cluster that may need it again. With the last owner the descriptor is closed, and the
 * kernel frees the memory that has the key. Nothing here maps it.
 */

#include "common/macro.h"
#include "daemon/model/report.h"

typedef struct SealedSet {
        unsigned n_owners;
        SetInfo info;
        int payload_fd;
} SealedSet;

/* Owns the descriptor, also on failure. */
int sealed_set_new(SealedSet **ret, const SetInfo *info, int payload_fd);

/* Both accept NULL. */
SealedSet *sealed_set_ref(SealedSet *set);
SealedSet *sealed_set_unref(SealedSet *set);
DEFINE_CLEANUP(SealedSet *, sealed_set_unref);

/* Returns "" for NULL. */
const char *sealed_set_fingerprint(const SealedSet *set);

/* The sets that a cluster may need again: the one it has, and the one it had before. */
typedef struct KeptSets {
        SealedSet *imported, *former;
} KeptSets;

#define KEPT_SETS_NULL ((KeptSets){0})
void kept_sets_done(KeptSets *kept);

/* Keeps the sets of these fingerprints, as far as they are among those kept, `current` and `sent`
 * (either may be NULL); the others are released. "" keeps none. */
void kept_sets_update(KeptSets *kept, const char *imported, const char *former, SealedSet *current,
        SealedSet *sent);
