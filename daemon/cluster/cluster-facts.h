#pragma once

/*
 * Cluster facts: what is known of one cluster, and what the outcome of an import, of a start of
 * replication or of a check changes in it.
 *
 * No process, file or event loop: a change says which events are to be reported and whether the
 * record has to be written.
 */

#include <stdbool.h>

#include "daemon/cluster/due-times.h"
#include "daemon/cluster/roll-back.h"
#include "daemon/config/config.h"
#include "daemon/model/record.h"
#include "daemon/model/status.h"

typedef struct ClusterFacts {
        Config *daemon;              /* a reference */
        const ClusterConfig *config; /* one of its clusters */
        ClusterStatus status;        /* points into the others */
        Record record;
        Replication replication;
        DueTimes due;
        bool stop_reported; /* CLUSTER_EVENT_STOPPED was reported */
        bool denied; /* replication_is_denied() with the imported set, after a restart or a check */
        bool running;        /* replication ran before the import that runs, or was the last */
        RollBack *roll_back; /* that runs */
} ClusterFacts;

typedef struct ClusterChange {
        unsigned events; /* a bit for each ClusterEvent */
        bool recorded;   /* the record has changed */
} ClusterChange;

/* Takes the record away, which is RECORD_NULL for a cluster without one. */
void cluster_facts_init(
        ClusterFacts *facts, Config *daemon, const ClusterConfig *config, Record *record);
void cluster_facts_done(ClusterFacts *facts);

/* Replaces the settings. `ret_forgotten`: what the last check found is not known any more, since it
 * is asked no more or of another server. Returns true if the server is another one. */
bool cluster_facts_configure(
        ClusterFacts *facts, Config *daemon, const ClusterConfig *config, bool *ret_forgotten);

/* Replication is what the record says of it, until it is read again. */
void cluster_facts_forget_replication(ClusterFacts *facts);

/* Before an import. */
void cluster_facts_begin_import(ClusterFacts *facts);

/* Before it stops replication. */
void cluster_facts_begin_stop(ClusterFacts *facts, const RecordStop *stop);

/* That stop has ended: both threads are stopped, at its coordinates. */
void cluster_facts_complete_stop(ClusterFacts *facts, const RecordStop *stop);

/* An import of `set`, or a restart after it. `elsewhere`: into a server that is no longer the
 * configured one, of which it says nothing. */
ClusterChange cluster_facts_apply_attempt(
        ClusterFacts *facts, const SetInfo *set, const Outcome *outcome, bool elsewhere);

/* Before the former set is imported again, and after it: `outcome` becomes that of the set which is
 * taken back. */
int cluster_facts_begin_roll_back(ClusterFacts *facts, const SetInfo *former);
ClusterChange cluster_facts_apply_roll_back(ClusterFacts *facts, Outcome *outcome, bool elsewhere);

/* Instead of the import: it cannot be recorded. */
void cluster_facts_cancel_roll_back(ClusterFacts *facts);

/* After that: it is retried with back-off. */
ClusterChange cluster_facts_refuse_roll_back(ClusterFacts *facts, const Outcome *outcome);

/* A start of replication alone: it says nothing of the set, whose state and back-off stay. */
ClusterChange cluster_facts_apply_start(ClusterFacts *facts, const Outcome *outcome);

ClusterChange cluster_facts_apply_check(ClusterFacts *facts, const Outcome *outcome);

/* Before the imported set is imported again, since replication fails with TLS. */
ClusterChange cluster_facts_begin_heal(ClusterFacts *facts);

/* A removal of the client material: nothing of a set is known after it. `elsewhere` as above. */
ClusterChange cluster_facts_apply_removal(
        ClusterFacts *facts, const Outcome *outcome, bool elsewhere);

/* After a change of the set on disk, "" for none, or of the imported one. Since when they differ is
 * kept while there is none. Returns true if the record has changed. */
bool cluster_facts_update_sync(ClusterFacts *facts, const char *on_disk);

/* While no import runs, which is about to start replication: adds the event that it stays stopped,
 * or is started, once each. */
void cluster_facts_report_stop(ClusterFacts *facts, ClusterChange *change);
