#pragma once

/*
 * Herald: tells the journal each transition, and each once.
 *
 * It remembers what was told last; daemon/journal.h has the words. Repeats of a passing fault are
 * told at the first failure of a series and then at every power of two.
 */

#include <stddef.h>

#include "daemon/cluster.h"
#include "daemon/material.h"

typedef struct Herald Herald;

int herald_new(Herald **ret, size_t n_materials);
Herald *herald_free(Herald *herald);
DEFINE_CLEANUP(Herald *, herald_free);

/* Something about a material may have changed; `index` is its place in the configuration. */
void herald_material(Herald *herald, size_t index, const MaterialStatus *material);

/* An attempt ended and is in the record. */
void herald_attempt(Herald *herald, const ClusterStatus *cluster, const Outcome *outcome);
