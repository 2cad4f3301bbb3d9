#pragma once

/*
 * Unit state: what systemd knows of binlog-ssld.service.
 *
 * A connection to the socket of systemd starts the service, also one that a person has stopped: the
 * next status of a monitoring would undo a stop. So a client asks before it connects. Without a
 * system bus nothing is known.
 */

#include <stdbool.h>

/* Returns true if the service is stopped, or was never started: it has not failed, it is not about
 * to start, and no job of systemd waits for it. */
bool unit_state_is_stopped(void);
