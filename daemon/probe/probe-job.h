#pragma once

/*
 * Survey: asks every enabled cluster what an import would meet, each in a child of its own, as many
 * at a time as parallel-imports allows and none for longer than import-timeout: one that hangs
 * delays no other. Nothing is written to the state directory.
 */

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

/* Fills one Probe per cluster of the configuration, in its order; those that are not enabled are
 * left as they are. SIGCHLD must be blocked. */
int probe_run_all(Probe *probes, const Config *config);
