#pragma once

/*
 * Status watch: prints the status again whenever it changes (status --watch).
 *
 * The subscription tells when something has changed, GetStatus what the state is: so each state is
 * one of a single moment, and has the shape that it has without --watch. On a terminal each is
 * painted over the one before; elsewhere a blank line is between them; of JSON each is one line.
 * The standard output has states alone: that the service is gone stands on the terminal above the
 * last state, and goes to the standard error elsewhere.
 */

#include <stdbool.h>

#include "ctl/output/status-table.h"

/* Returns the exit status; without an error a signal ends it. */
int status_watch(const char *socket, bool json, const StatusSelection *selection);
