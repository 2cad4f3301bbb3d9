#pragma once

/*
 * Manager: owns the event loop and connects inventory, scheduler, status reports and Varlink
 * server.
 *
 * Handlers only record a change and request a wakeup; one function behind the wakeup decides
 * which import or check starts next. The manager holds no key and no password: child processes
 * read them.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "daemon/config/config.h"

typedef struct Manager Manager;

typedef struct ManagerOptions {
        const char *version;
        const char *config_path; /* read again by a reload */
        bool once;               /* bring all clusters up to date and exit; no socket */
} ManagerOptions;

/* Owns `config`, also on failure. */
int manager_new(Manager **ret, Config *config, const ManagerOptions *options);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);

/* Runs until SIGTERM or SIGINT, or with `once` until each cluster had its attempt. Returns 0
 * after a normal end; with `once` 0 if all enabled clusters are current, else 1; or a negative
 * errno. */
int manager_run(Manager *manager);
