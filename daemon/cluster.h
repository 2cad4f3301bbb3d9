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
#include "daemon/material.h"
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

/* Facts for status and journal. Times that end in _at_usec are wall clock. */
typedef struct ClusterStatus {
        const ClusterConfig *config;
        ClusterState state;
        uint64_t since_at_usec;
        uint64_t out_of_sync_since_usec; /* a good set on disk is not the imported one; 0: it is */
        const Record *record;
        const Replication *replication;
        uint64_t next_attempt_at_usec;      /* 0: none is due */
        uint64_t deadline_usec;             /* boot time, of the importer that runs; 0: none does */
        int record_error;                   /* why the record could not be written; 0: it was */
        bool check_due;                     /* a check runs, or waits for its turn */
        char check_fault[OUTCOME_TEXT_MAX]; /* why the last check of it failed; "": it did not */
        char check_next[OUTCOME_NEXT_MAX];  /* and what can be done about that */
} ClusterStatus;

typedef enum ClusterNews {
        CLUSTER_NEWS_STATE,
        CLUSTER_NEWS_ATTEMPT,     /* one ended, and is in the record */
        CLUSTER_NEWS_RECORD,      /* record_error is another one */
        CLUSTER_NEWS_CHECK,       /* check_fault has come or gone; `outcome` is the check's */
        CLUSTER_NEWS_DRIFT,       /* the ledger names another set than was known; likewise */
        CLUSTER_NEWS_REPLICATION, /* a check found it broken, or running again; likewise */
} ClusterNews;

/* Something changed that others may want to know. `outcome` is what an attempt or a check came to, else
 * NULL. */
typedef void (*cluster_changed_fn)(
        Cluster *cluster, ClusterNews news, const Outcome *outcome, void *userdata);

/* Keeps a copy of `config`. `record` is what was remembered. */
int cluster_new(Cluster **ret, sd_event *event, const ClusterConfig *config, const Record *record,
        cluster_changed_fn fn, void *userdata);
Cluster *cluster_free(Cluster *cluster);
DEFINE_CLEANUP(Cluster *, cluster_free);

/* The same cluster with other settings; what runs ends with those it began with. */
void cluster_configure(Cluster *cluster, const ClusterConfig *config);

const ClusterStatus *cluster_status(const Cluster *cluster);
bool cluster_is_busy(const Cluster *cluster); /* it imports */
bool cluster_is_checking(const Cluster *cluster);

/* What to do with the set. Sets the state that goes with it; returns the plan, of which PLAN_IMPORT,
 * PLAN_RECONNECT and PLAN_CHECK are for cluster_start(). */
Plan cluster_plan(Cluster *cluster, const MaterialSet *set, uint64_t now_usec);

/* Starts the importer for the set. The payload descriptor is only lent. A check that runs gives way to
 * an import; it has changed nothing. */
int cluster_start(
        Cluster *cluster, const Config *config, PlanAction action, const MaterialSet *set);

/* The next plan waits neither for the back-off nor for the time of a check; with `force` it imports also what is current. */
void cluster_hurry(Cluster *cluster, bool force);

/* What is still to be written of its record is written now, and told when it cannot be. The second
 * leaves it at its time if that has just failed; true: there was something to write. */
void cluster_flush(Cluster *cluster);
bool cluster_flush_fresh(Cluster *cluster);

/* Whether somebody was told, in this life or an earlier one, that the set expires within that
 * time; and that it was. */
bool cluster_was_warned(const Cluster *cluster, const char *fingerprint, uint64_t within_usec);
void cluster_note_warning(Cluster *cluster, const char *fingerprint, uint64_t within_usec);
