#pragma once

/*
 * Cluster: one configured cluster: its record, its import or check that runs, its back-off.
 *
 * cluster_plan() decides the next action and cluster_start() starts it; the scheduler chooses the
 * time. An outcome changes the record, the status and the time of the next action, and is reported.
 * Clusters share nothing.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/cluster/cluster-process.h"
#include "daemon/cluster/plan.h"
#include "daemon/cluster/slab.h"
#include "daemon/config/config.h"
#include "daemon/model/sealed-set.h"
#include "daemon/model/status.h"

typedef struct Cluster Cluster;

/* The status changed, or with CLUSTER_EVENT_END what is due. `outcome` is the result of the
 * import or check that changed it, else NULL. */
typedef void (*cluster_changed_fn)(
        Cluster *cluster, ClusterEvent event, const Outcome *outcome, void *userdata);

/* What clusters share. It must outlive them. */
typedef struct ClusterOwner {
        sd_event *event;
        cluster_changed_fn changed;
        void *userdata;
        ClusterCounts counts;
        Slab memory;
} ClusterOwner;

/* `config` is one of `daemon`, of which the cluster keeps a reference. Takes `record` away, which
 * is RECORD_NULL for a cluster without one. */
int cluster_new(Cluster **ret, ClusterOwner *owner, Config *daemon, const ClusterConfig *config,
        Record *record);

/* Kills an importer that still runs; a record that is not written yet is written. */
Cluster *cluster_free(Cluster *cluster);
DEFINE_CLEANUP(Cluster *, cluster_free);

/* Replaces the settings. An importer that runs ends with the settings that it started with; the
 * time of what follows it is that of the new ones. */
void cluster_configure(Cluster *cluster, Config *daemon, const ClusterConfig *config);

const ClusterStatus *cluster_status(const Cluster *cluster);
bool cluster_is_importing(const Cluster *cluster);

/* Returns true if an import runs that was started into this server; the configured one can be
 * another by now. */
bool cluster_is_importing_into(const Cluster *cluster, const char *host, unsigned port);

bool cluster_is_checking(const Cluster *cluster);

/* The record names this set, the one on disk, by its fingerprint (record_adopt_set()). */
void cluster_adopt_set(Cluster *cluster, const SetInfo *set);

/* Decides the next action for `set`, the good one on disk (NULL: none), and its `wave` (NULL:
 * none), and sets the state that belongs to it. plan_starts() says which actions are for
 * cluster_start(). `now_usec` is boot time. Also while an import runs: what is on disk may have
 * changed. */
Plan cluster_plan(Cluster *cluster, SealedSet *set, const WaveStatus *wave, uint64_t now_usec);

/* Ends a check that runs, without a result. */
void cluster_end_check(Cluster *cluster);

/* Kills an importer that runs. Its CALL may have been executed, so the import is in doubt. */
void cluster_abort_import(Cluster *cluster);

/* Replaces the proof of the record, which is written if it has changed; see record_set_proof(). */
void cluster_set_proof(Cluster *cluster, const RecordProof *proof, const char *fault);

/* An operator imports by hand: the set of the last plan does not wait for its wave, and a proof of
 * it that a fault has ended begins anew. Without a set, or disabled, nothing changes. */
void cluster_release(Cluster *cluster);

/* Resets the back-off, also that of the record's writes, and makes a check due: at a reload. */
void cluster_reset_back_off(Cluster *cluster);

/* The same by an operator's command, which also lets a set be tried again that is held for one
 * (outcome_is_retried()). With `force` the
 * set of the last plan is imported even if it is current; this ends with that set, and a cluster
 * without a set, a disabled one, or one whose importer cannot be ended, ignores it. */
void cluster_retry_now(Cluster *cluster, bool force);

/* Writes a record that is not written yet; an error is reported as CLUSTER_EVENT_RECORD. */
void cluster_flush(Cluster *cluster);

/* The same, unless a write has just failed and waits for its retry. Returns true if a write was
 * tried. */
bool cluster_flush_pending(Cluster *cluster);

/* Returns true if this expiry warning was already logged, including before a restart: the same set,
 * and this threshold or a later one (nearer to the expiry). */
bool cluster_was_warned(const Cluster *cluster, const char *fingerprint, uint64_t within_usec);
void cluster_set_warned(Cluster *cluster, const char *fingerprint, uint64_t within_usec);
