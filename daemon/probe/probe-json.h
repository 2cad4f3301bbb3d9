#pragma once

/*
 * Probe JSON: the result of --check-clusters as a JSON document.
 */

#include <stdio.h>

#include "daemon/config/config.h"
#include "daemon/probe/probe.h"

/* `probes` has one element per cluster of the configuration, in its order. A negative errno if the
 * document could not be written. */
int probe_json_print(FILE *stream, const Config *config, const Probe *probes);
