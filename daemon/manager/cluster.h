#pragma once

/*
 * Cluster: one configured cluster: its record, its importer, its back-off.
 *
 * It does what a plan says and remembers what came of it; when to ask for a plan is daemon's
 * business. Each is independent of every other.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/manager/material.h"
#include "daemon/manager/plan.h"
#include "daemon/model/status.h"

typedef struct Cluster Cluster;

/* Something changed that others may want to know. `outcome` is what an attempt or a check came to, else
 * NULL. */
typedef void (*cluster_changed_fn)(
        Cluster *cluster, ClusterEvent cluster_event, const Outcome *outcome, void *userdata);

/* Keeps a copy of `config`. `record` is what was remembered. */
int cluster_new(Cluster **ret, sd_event *event, const ClusterConfig *config, const Record *record,
        cluster_changed_fn fn, void *userdata);
Cluster *cluster_free(Cluster *cluster);
DEFINE_CLEANUP(Cluster *, cluster_free);

/* The same cluster with other settings; what runs ends with those it began with. */
void cluster_configure(Cluster *cluster, const ClusterConfig *config);

const ClusterStatus *cluster_status(const Cluster *cluster);
bool cluster_is_importing(const Cluster *cluster); /* it imports */
bool cluster_is_checking(const Cluster *cluster);

/* What to do with the set. Sets the state that goes with it; returns the plan, of which PLAN_IMPORT,
 * PLAN_RESTART_REPLICATION and PLAN_CHECK are for cluster_start(). */
Plan cluster_plan(Cluster *cluster, const MaterialSet *set, uint64_t now_usec);

/* Starts the importer for the set. The payload descriptor is only lent. A check that runs gives way to
 * an import; it has changed nothing. */
int cluster_start(
        Cluster *cluster, const Config *config, PlanAction action, const MaterialSet *set);

/* The next plan waits neither for the back-off nor for the time of a check; with `force` it imports also what is current. */
void cluster_retry_now(Cluster *cluster, bool force);

/* What is still to be written of its record is written now, and told when it cannot be. The second
 * leaves it at its time if that has just failed; true: there was something to write. */
void cluster_flush(Cluster *cluster);
bool cluster_flush_pending(Cluster *cluster);

/* Whether somebody was told, in this life or an earlier one, that the set expires within that
 * time; and that it was. */
bool cluster_was_warned(const Cluster *cluster, const char *fingerprint, uint64_t within_usec);
void cluster_set_warned(Cluster *cluster, const char *fingerprint, uint64_t within_usec);
