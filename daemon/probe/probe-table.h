#pragma once

/*
 * Prospect: what `binlog-ssld --check-clusters` shows: a line for each cluster that can be compared
 * with those above it, where it led to, and for what an import would stumble over why and what to
 * do; or the same as a document for machines.
 */

#include <stdbool.h>
#include <stdio.h>

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

/* `probes` has one for each cluster of the configuration, in its order. `stream` is flushed: -EIO or
 * what writing said. */
int probe_table_print(FILE *stream, const Config *config, const Probe *probes, bool json);
