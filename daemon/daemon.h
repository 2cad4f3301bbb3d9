#pragma once

/*
 * Daemon: owns the loop and connects the stations. Handlers record and wake; daemon_advance() is
 * the only place that decides what starts next.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "daemon/config.h"

typedef struct Daemon Daemon;

typedef struct DaemonOptions {
        const char *version;
        const char *config_path; /* read again for a reload */
        bool once;               /* inspect, import what needs it, leave; no socket */
} DaemonOptions;

/* Takes `config` over, also on failure. */
int daemon_new(Daemon **ret, Config *config, const DaemonOptions *options);
Daemon *daemon_free(Daemon *daemon);
DEFINE_CLEANUP(Daemon *, daemon_free);

/* Until SIGTERM or SIGINT, or with `once` until every cluster had its attempt. 0: left in order,
 * and with `once` all enabled clusters are current; 1: with `once`, they are not. */
int daemon_run(Daemon *daemon);
