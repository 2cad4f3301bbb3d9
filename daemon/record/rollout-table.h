#pragma once

/*
 * Rollout table: the rollout of each material (daemon/record/rollout.h), written once per set, and
 * once more when it leaves the canary.
 */

#include "common/macro.h"
#include "daemon/record/rollout.h"

typedef struct RolloutTable RolloutTable;

int rollout_table_new(RolloutTable **ret);
RolloutTable *rollout_table_free(RolloutTable *table);
DEFINE_CLEANUP(RolloutTable *, rollout_table_free);

/* Reads the rollout that a daemon before has left. The result lives until the next call. */
const Rollout *rollout_table_load(RolloutTable *table, const char *material);

/* Before a CALL with a set of the material: writes it down, unless it is. `cluster`: no other one
 * gets the set yet; "": any may get it from now on. An error leaves the import as it is and is
 * tried again with the next; the records, in the same directory, report it. */
void rollout_table_begin(
        RolloutTable *table, const char *material, const char *fingerprint, const char *cluster);

/* Removes the files of all rollouts: each record has its result. */
void rollout_table_end(RolloutTable *table);
