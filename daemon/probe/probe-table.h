#pragma once

/*
 * Probe table: prints probes of clusters for people: one row per cluster, and below it the address,
 * the account, the server's certificate and the findings with their next steps; or the document of
 * `--json`.
 *
 * The probes are documents of daemon/probe/probe-json.h, so that `binlog-ssld --check-clusters` and
 * `binlog-sslctl check-clusters`, which receives them, print the same. They are not trusted: what
 * is absent or of another type is shown as not known.
 */

#include <stdbool.h>
#include <stdio.h>

#include "common/json-reader.h"

/* Flushes `stream`; -EIO if that fails. `json`: prints {"good", "clusters"} instead. */
int probe_table_print(FILE *stream, JsonValue *const *clusters, size_t n, bool json);

/* Returns true if an import would work in all of them that are enabled. */
bool probe_table_is_good(JsonValue *const *clusters, size_t n);
