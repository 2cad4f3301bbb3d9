#pragma once

/*
 * Cluster history: what the history of a cluster (daemon/model/history.h) keeps of an attempt or a
 * check, and what has led to it.
 */

#include <stdbool.h>

#include "daemon/cluster/cluster-facts.h"
#include "daemon/cluster/plan.h"

/* Before an attempt of this action with the set of `fingerprint`. `commanded`: an operator has
 * asked for it. */
HistoryTrigger cluster_history_trigger(
        const ClusterFacts *facts, PlanAction action, const char *fingerprint, bool commanded);

/* After it. `fingerprint`: the set that it was about; "": none. */
void cluster_history_add(ClusterFacts *facts, PlanAction action, HistoryTrigger trigger,
        const char *fingerprint, const Outcome *outcome);

/* After a check, which has changed this. Returns true if it is in the history. */
bool cluster_history_add_check(
        ClusterFacts *facts, const Outcome *outcome, const ClusterChange *change);
