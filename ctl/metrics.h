#pragma once

/*
 * Metrics: the daemon's metrics, printed.
 */

#include "ctl/command.h"

extern const Command command_metrics;
