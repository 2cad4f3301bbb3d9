#pragma once

/*
 * Probe JSON: the probe of one cluster as a JSON document, ClusterCheck of io.binlogssl.Manager,
 * which daemon/probe/probe-table.h prints as it is or as a table.
 */

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

/* The document is on the heap. -ENOMEM. */
int probe_json_format(char **ret, const ClusterConfig *cluster, const Probe *probe);
