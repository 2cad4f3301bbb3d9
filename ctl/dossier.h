#pragma once

/*
 * Dossier: what --check-clusters found, as a JSON document, and the verdict on it.
 */

#include <stdbool.h>
#include <stdio.h>

#include "daemon/config.h"
#include "daemon/probe.h"

/* Whether an import would work: "works", "fails", or "disabled". */
const char *dossier_word(const ClusterConfig *cluster, const Probe *probe);

/* It would in every cluster that is enabled. */
bool dossier_is_good(const Config *config, const Probe *probes);

int dossier_write(FILE *stream, const Config *config, const Probe *probes);
