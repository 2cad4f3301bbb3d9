#pragma once

/*
 * Cluster: one configured cluster: its record, its importer, its back-off.
 *
 * It does what a plan says and remembers what came of it; when to ask for a plan is daemon's
 * business. Each is independent of every other.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config.h"
#include "daemon/plan.h"
#include "daemon/record.h"

typedef struct Cluster Cluster;

typedef enum ClusterState {
        CLUSTER_WAITING,   /* no good set on disk */
        CLUSTER_IMPORTING, /* an importer runs, or is about to */
        CLUSTER_CURRENT,   /* the server acknowledged the set that stands on disk */
        CLUSTER_RETRYING,  /* a passing fault; back-off runs */
        CLUSTER_HELD,      /* an operator must act */
        CLUSTER_DISABLED,
        _CLUSTER_STATE_MAX,
} ClusterState;

const char *cluster_state_to_string(ClusterState state);

/* Facts for status and journal. Times are wall clock. */
typedef struct ClusterStatus {
        const ClusterConfig *config;
        ClusterState state;
        uint64_t since_at_usec;
        const Record *record;
        const Replication *replication;
        uint64_t next_attempt_at_usec; /* 0: none is due */
        int record_error;              /* why the record could not be written; 0: it was */
} ClusterStatus;

/* An attempt ended and is in the record. */
typedef void (*cluster_attempted_fn)(Cluster *cluster, const Outcome *outcome, void *userdata);

/* `config` must outlive the cluster. `record` is what was remembered. */
int cluster_new(Cluster **ret, sd_event *event, const ClusterConfig *config, const Record *record,
        cluster_attempted_fn fn, void *userdata);
Cluster *cluster_free(Cluster *cluster);
DEFINE_CLEANUP(Cluster *, cluster_free);

const ClusterStatus *cluster_status(const Cluster *cluster);
bool cluster_is_busy(const Cluster *cluster);

/* What to do with the set `fingerprint` (NULL: none). Sets the state that goes with it; returns
 * the plan, of which PLAN_IMPORT and PLAN_RECONNECT are for cluster_start(). */
Plan cluster_plan(Cluster *cluster, const char *fingerprint, uint64_t now_usec);

/* Starts the importer for the set. The payload descriptor is only lent. */
int cluster_start(Cluster *cluster, const Config *config, PlanAction action,
        const char *fingerprint, int payload_fd);
