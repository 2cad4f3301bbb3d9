#pragma once

/*
 * Schedule model: what is due for one cluster and when, written a second time from doc/design.md,
 * "Import" and "Outcomes", without any code of the scheduler, plan or cluster.
 *
 * A set is a number, 0 for none. Times are boot time in microseconds.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/model/outcome.h"

#define MODEL_NEVER UINT64_MAX

typedef struct ModelTimes {
        uint64_t retry_min, retry_max, retry_held, check_interval;
        uint32_t random; /* the one random number, from which every jitter is made */
        bool once;       /* nothing is tried or asked again */
} ModelTimes;

typedef struct ModelCluster {
        /* The configuration. */
        bool exists, enabled, has_ledger;
        int replication, ledger, host, material;
        bool gone; /* it does not exist, and its import runs */

        int imported, attempted; /* sets */
        bool restart_due;        /* the set is imported, replication is not restarted */
        unsigned failures;       /* since the back-off was reset */
        uint64_t retry_at, check_at;
        int planned, forced; /* sets */
        bool importing, checking, restarting, moved;
        int importing_host;    /* of the import that runs */
        unsigned overtaken[8]; /* by the imports of each other cluster, while an import waits */
} ModelCluster;

typedef enum ModelKind {
        MODEL_NOTHING,
        MODEL_CHECK,
        MODEL_IMPORT,
        MODEL_RESTART,
} ModelKind;

typedef struct ModelDue {
        ModelKind kind;
        uint64_t at; /* MODEL_NEVER with MODEL_NOTHING */
} ModelDue;

/* What the cluster needs next with that set on disk, if no import of it runs. */
ModelDue model_due(const ModelCluster *cluster, int set);

/* Returns true if that set on disk is in the cluster, as far as is known, and wanted only once. */
bool model_is_current(const ModelCluster *cluster, int set);

/* Before a pass. */
void model_plan(ModelCluster *cluster, int set);

/* An operator's command or, after model_configure(), a reload. */
void model_retry_now(ModelCluster *cluster, bool force);

/* The settings of `config` replace those of the cluster, which keeps the rest. Returns true if the
 * answer of a check that runs says nothing any more. */
bool model_configure(ModelCluster *cluster, const ModelCluster *config);

/* What the fixture made of an end. */
typedef struct ModelEnd {
        OutcomeKind kind;
        bool transient, success, committed, in_doubt, restart_due;
        bool ledger_known;
        int ledger_set; /* of its newest row; 0: not imported completely */
} ModelEnd;

void model_end_import(
        ModelCluster *cluster, int set, const ModelEnd *end, const ModelTimes *times, uint64_t now);
void model_end_check(
        ModelCluster *cluster, const ModelEnd *end, const ModelTimes *times, uint64_t now);
