#pragma once

/*
 * Cluster process: the processes of one cluster, at most one importer and one checker.
 *
 * A process that was killed at its deadline and cannot end is kept aside as stuck; until its end
 * nothing is started for the cluster.
 */

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/import/import-job.h"

typedef struct ClusterProcess ClusterProcess;

/* What runs of all clusters that share it, and what they have to write (record_writer_new()). */
typedef struct ClusterCounts {
        unsigned n_importing, n_checking, n_unwritten;
} ClusterCounts;

typedef struct ClusterProcessHandlers {
        /* The importer, or the checker, has ended or could not be started. */
        void (*imported)(const Outcome *outcome, void *userdata);
        void (*checked)(const Outcome *outcome, void *userdata);
        int (*stop)(const RecordStop *stop, void *userdata); /* see ImportJobHandlers */
        void (*released)(void *userdata);                    /* nothing is stuck any more */
        void *userdata;
} ClusterProcessHandlers;

/* `counts` must outlive the process. */
int cluster_process_new(ClusterProcess **ret, sd_event *event, ClusterCounts *counts,
        const ClusterProcessHandlers *handlers);

/* Kills what still runs. */
ClusterProcess *cluster_process_free(ClusterProcess *process);
DEFINE_CLEANUP(ClusterProcess *, cluster_process_free);

/* Starts the importer, or the checker for IMPORT_ACTION_CHECK. An importer ends a checker that
 * runs, since a check changes nothing on the cluster. Returns the errno if no process could be
 * started; that is an outcome as well. */
int cluster_process_start(ClusterProcess *process, const ImportTask *task);

/* Ends a checker that runs, without a result. */
void cluster_process_end_check(ClusterProcess *process);

/* Kills an importer that runs; `outcome` becomes its result. */
void cluster_process_abort_import(ClusterProcess *process, const Outcome *outcome);

bool cluster_process_is_importing(const ClusterProcess *process);
bool cluster_process_is_importing_into(
        const ClusterProcess *process, const char *host, unsigned port);
bool cluster_process_is_checking(const ClusterProcess *process);
bool cluster_process_is_stuck(const ClusterProcess *process);

/* Returns the boot time at which the importer is killed; 0: none runs. */
uint64_t cluster_process_deadline_usec(const ClusterProcess *process);
