#pragma once

/*
 * Probe job: probes one cluster in a child process, which is killed at import-timeout.
 *
 * The parent's half of daemon/probe/prober.h. Every end is a probe: a child that was killed, or
 * whose result is none, has a finding that says so.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/probe/probe.h"
#include "daemon/probe/prober.h"

typedef struct ProbeJob ProbeJob;

/* `probe` is valid until the handler returns, which may free the job. */
typedef void (*probe_job_end_fn)(const Probe *probe, void *userdata);

/* The texts and the descriptor of `task` are needed only until this returns. SIGCHLD must be
 * blocked. A negative errno if no process could be started. */
int probe_job_start(ProbeJob **ret, sd_event *event, const ProberTask *task, probe_job_end_fn fn,
        void *userdata);

/* Kills a child that still runs, without a call of the handler. */
ProbeJob *probe_job_free(ProbeJob *job);
DEFINE_CLEANUP(ProbeJob *, probe_job_free);
