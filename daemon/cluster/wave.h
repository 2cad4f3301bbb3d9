#pragma once

/*
 * Wave: the order in which the clusters of a material get a new set, with rollout = canary.
 *
 * One cluster, the canary, gets the set first. The wave opens for the others when the canary has
 * imported it and, unless its replication is ignored, has replicated without a fault for
 * canary-hold. It stops when the canary fails.
 *
 * Pure: the set on disk and what is known of the clusters are arguments. What has to survive a
 * restart is in the canary's record (RecordProof). The hold is measured in boot time between
 * readings of replication, so a step of the wall clock does not change it. A reading is compared
 * with the last one also across a restart: within one boot the difference is the time that has
 * passed, after another boot it is less or negative, which counts as nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/model/record.h"
#include "daemon/model/status.h"

/* Returns true if the cluster has proven the set, as the canary of now or of another time. */
bool wave_is_proven_by(const ClusterStatus *cluster, const char *fingerprint);

/* Returns true for an enabled cluster that gets the set from its wave only: it does not have the
 * set, and no operator has imported it by hand. */
bool wave_includes(const ClusterStatus *cluster, const char *fingerprint);

typedef struct WaveInput {
        const ClusterStatus *canary; /* NULL: no cluster is enabled */
        const char *fingerprint;     /* the good set on disk; "": none */
        bool proven;                 /* by any cluster of the material */
        unsigned n_included;         /* clusters of the material */
        uint64_t hold_usec;
} WaveInput;

/* Returns the proof of the canary's imported set, with what was read of replication since the last
 * call. It begins while that set is on disk and not proven, and continues when another one comes. A
 * fault after a good reading ends it, for record_set_proof(); before one, nothing is proven yet. */
RecordProof wave_prove(char fault[static OUTCOME_TEXT_MAX], const WaveInput *input);

/* After the result of wave_prove() is in the record. */
void wave_evaluate(WaveStatus *ret, const WaveInput *input);

/* Returns true for the canary while the wave has reached no other cluster. */
bool wave_is_alone(const WaveStatus *wave, const ClusterStatus *cluster);

/* Returns true if the cluster keeps the set that it has: the wave of the set on disk has not
 * reached it. A set that an operator imports by hand does not wait. `wave` may be NULL: none. */
bool wave_holds_back(const WaveStatus *wave, const ClusterStatus *cluster, const char *fingerprint);
