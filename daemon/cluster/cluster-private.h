#pragma once

/*
 * Cluster, its members: for daemon/cluster/cluster.c and cluster-start.c alone.
 */

#include "daemon/cluster/cluster-facts.h"
#include "daemon/cluster/cluster-history.h"
#include "daemon/cluster/cluster-process.h"
#include "daemon/cluster/cluster.h"
#include "daemon/record/record-writer.h"

/* In a slab, so that no child has it: what a child needs is in its task or the configuration. */
struct Cluster {
        char name[CONFIG_NAME_MAX];
        ClusterFacts facts;
        ClusterProcess *process;
        RecordWriter *writer;
        ClusterOwner *owner;
        char planned[REPORT_FINGERPRINT_MAX]; /* the set of the last plan; "": none */
        bool forced;                          /* that set is imported anyway */
        bool lifted;                          /* an operator asks for that set */
        bool commanded;                       /* an operator asks for the next attempt */
        PlanAction running;                   /* what the importer that runs was started for */
        HistoryTrigger trigger;               /* of it */
        bool moved;                           /* its server is no longer the configured one */
        SealedSet *sent;                      /* while it runs */
        KeptSets kept;                        /* for a roll back */
};

void cluster_report(Cluster *cluster, ClusterEvent event, const Outcome *outcome);
void cluster_report_all(Cluster *cluster, ClusterChange change, const Outcome *outcome);

/* Every end of an import or check comes here, and the next action is planned. */
void cluster_finish(Cluster *cluster, ClusterChange change, const Outcome *outcome);

void cluster_set_state(Cluster *cluster, ClusterState state);

/* Written at once, so that whoever waits for the removal finds the record as it reports it. */
void cluster_end_removal(Cluster *cluster, const Outcome *outcome);
