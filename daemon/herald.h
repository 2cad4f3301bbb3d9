#pragma once

/*
 * Herald: tells the journal each transition, and each once.
 *
 * It remembers what was told last; daemon/journal.h has the words. Repeats of a passing fault are
 * told at the first failure of a series and then at every power of two. That a set expires soon is
 * told once per threshold; the records of its clusters remember that across restarts.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "daemon/roster.h"

typedef struct Herald Herald;

int herald_new(Herald **ret);
Herald *herald_free(Herald *herald);
DEFINE_CLEANUP(Herald *, herald_free);

/* Something about a material may have changed. True: something had. */
bool herald_material(Herald *herald, const Roster *roster, const MaterialStatus *material);
void herald_forget_material(Herald *herald, const char *name);

/* What a cluster has to tell. */
void herald_cluster(const ClusterStatus *cluster, ClusterNews news, const Outcome *outcome);
