#pragma once

/*
 * Unit state: what systemd knows of binlog-ssld.service.
 *
 * A connection to the socket of systemd starts the service, also one that a person has stopped: the
 * next status of a monitoring would undo a stop. So a client asks before it connects. A service
 * that dies before it can answer leaves its clients waiting, and systemd alone knows why. Without a
 * system bus, or with another socket than that of the unit, nothing is known.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct UnitState {
        bool stopped; /* or never started: no failure, not about to start, and without a job */
        bool failing; /* it has ended by itself, and is started again */
        uint32_t n_restarts;
        char result[32]; /* of the last run, as of systemctl show; "": not known */
} UnitState;

UnitState unit_state_read(const char *socket);
