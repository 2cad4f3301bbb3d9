#pragma once

/*
 * Metrics: the status in Prometheus' text exposition format 0.0.4; the names are stable
 * (binlog-ssld(8), METRICS).
 *
 * Most values come from the ManagerStatus; only the imports, which the status does not keep, are
 * counted here. Times are absolute, so that an alert rule can subtract them from time().
 */

#include <stdint.h>

#include "common/macro.h"
#include "daemon/model/outcome.h"
#include "daemon/status/summary.h"

typedef struct Metrics Metrics;

int metrics_new(Metrics **ret);
Metrics *metrics_free(Metrics *metrics);
DEFINE_CLEANUP(Metrics *, metrics_free);

/* Counts an attempt that ended; without memory it is not counted. */
void metrics_count(
        Metrics *metrics, const char *cluster, OutcomeKind outcome, uint64_t duration_usec);

/* Drops the counters of a cluster that is no longer configured. */
void metrics_forget(Metrics *metrics, const char *cluster);

/* A heap string that ends with a newline. */
int metrics_format(
        char **ret, const Metrics *metrics, const ManagerStatus *status, const char *version);
