#pragma once

/*
 * Metrics: Prometheus' text exposition format 0.0.4, under the names of design 10.
 *
 * What the model knows is written from it; only what happened and is over, the imports, is counted
 * here. Times are absolute, so that a rule subtracts them from time() itself.
 */

#include <stdint.h>

#include "common/macro.h"
#include "daemon/model/outcome.h"
#include "daemon/status/summary.h"

typedef struct Metrics Metrics;

int metrics_new(Metrics **ret);
Metrics *metrics_free(Metrics *metrics);
DEFINE_CLEANUP(Metrics *, metrics_free);

/* An attempt ended. Without memory it stays uncounted. */
void metrics_count(
        Metrics *metrics, const char *cluster, OutcomeKind outcome, uint64_t duration_usec);

/* The cluster is no longer configured. */
void metrics_forget(Metrics *metrics, const char *cluster);

/* A heap string that ends with a newline. */
int metrics_format(
        char **ret, const Metrics *metrics, const ManagerStatus *status, const char *version);
