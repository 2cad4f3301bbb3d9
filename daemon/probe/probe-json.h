#pragma once

/*
 * Dossier: what --check-clusters found, as a JSON document, and the verdict on it.
 */

#include <stdbool.h>
#include <stdio.h>

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

/* Whether an import would work: "works", "fails", or "disabled". */
const char *probe_result_word(const ClusterConfig *cluster, const Probe *probe);

/* It would in every cluster that is enabled. */
bool probe_all_good(const Config *config, const Probe *probes);

int probe_json_print(FILE *stream, const Config *config, const Probe *probes);
