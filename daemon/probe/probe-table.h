#pragma once

/*
 * Probe table: prints the result of `binlog-ssld --check-clusters`: one row per cluster, and below
 * it the address, the account, the server's certificate and the findings with their next steps.
 */

#include <stdbool.h>
#include <stdio.h>

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

/* `probes` has one element per cluster of the configuration, in its order. Flushes `stream`;
 * -EIO if that fails. `json` prints the document of daemon/probe/probe-json.h instead. */
int probe_table_print(FILE *stream, const Config *config, const Probe *probes, bool json);
