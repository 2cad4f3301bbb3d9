#pragma once

/*
 * Probe job: probes every enabled cluster, each in its own child process, at most parallel-imports
 * at a time and none longer than import-timeout, so that a cluster that hangs delays no other.
 * Writes nothing to the state directory.
 */

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

/* Fills one Probe per cluster of the configuration, in its order, and leaves those of clusters that
 * are not enabled unchanged. SIGCHLD must be blocked. A negative errno if a child could not be
 * started. */
int probe_run_all(Probe *probes, const Config *config);
