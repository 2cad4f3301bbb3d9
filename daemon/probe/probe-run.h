#pragma once

/*
 * Probe run: probes clusters of one configuration, each in its own process, some at a time, so that
 * one that hangs delays no other.
 *
 * The owner takes each result, in the order in which the probes end. A result that is not taken
 * keeps its place, so that a slow owner needs the memory of no more results than processes may run.
 * A cluster that is not enabled has a result without a process. Nothing is written.
 */

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"

typedef struct ProbeRun ProbeRun;

/* What only the owner has, for one prober. Texts and descriptor are needed until the prober is
 * started, which is before probe_run_start_one() returns. */
typedef struct ProbeContext {
        int payload_fd; /* of the set on disk, sealed; -1: there is none, and `reason` says why */
        const char *fingerprint;
        const char *reason;
        Newlines newlines; /* the form that the cluster has taken; AUTO: unknown */
} ProbeContext;

typedef struct ProbeRunHandlers {
        ProbeContext (*context)(const ClusterConfig *cluster, void *userdata);
        void (*ready)(void *userdata); /* a result can be taken; NULL: the owner looks itself */
        void *userdata;
} ProbeRunHandlers;

typedef struct ProbeResult {
        char *json;       /* the document of daemon/probe/probe-json.h; on the heap */
        size_t cluster;   /* its index in the configuration */
        size_t remaining; /* clusters whose results are still to come */
} ProbeResult;

/* Keeps a reference to `config`. `chosen` has a member for each cluster; NULL: all. At most
 * `parallel` processes run at a time. */
int probe_run_new(ProbeRun **ret, sd_event *event, Config *config, const bool *chosen,
        unsigned parallel, const ProbeRunHandlers *handlers);

/* Kills the processes that run. */
ProbeRun *probe_run_free(ProbeRun *run);
DEFINE_CLEANUP(ProbeRun *, probe_run_free);

/* Starts the next prober. Returns false if there is none, or no place for it. A process that cannot
 * be started is a finding of its cluster. */
bool probe_run_start_one(ProbeRun *run);

/* Returns 1 with a result, 0 if all are taken, -EAGAIN if none has ended yet, -ENOMEM. */
int probe_run_take(ProbeRun *run, ProbeResult *ret);
