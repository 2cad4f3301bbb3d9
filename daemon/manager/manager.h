#pragma once

/*
 * Daemon: owns the loop and connects the stations. Handlers record and wake; manager_schedule() is
 * the only place that decides what starts next.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "daemon/config/config.h"

typedef struct Manager Manager;

typedef struct ManagerOptions {
        const char *version;
        const char *config_path; /* read again for a reload */
        bool once;               /* inspect, import what needs it, leave; no socket */
} ManagerOptions;

/* Takes `config` over, also on failure. */
int manager_new(Manager **ret, Config *config, const ManagerOptions *options);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);

/* Until SIGTERM or SIGINT, or with `once` until every cluster had its attempt. 0: left in order,
 * and with `once` all enabled clusters are current; 1: with `once`, they are not. */
int manager_run(Manager *manager);
