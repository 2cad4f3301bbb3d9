#pragma once

/*
 * Reload: reads the configuration again and applies it, as a whole or not at all.
 *
 * A configuration can have thousands of new clusters, so each turn of the loop makes some of them,
 * and the configuration in force goes on until all exist. It changes in a turn of its own, not
 * while a call of a client is handled. Another request during a reload begins it
 * anew, with the files as they are then: there is one reload, and one end, for both.
 */

#include "common/macro.h"
#include "daemon/manager/inventory.h"

typedef struct Reload Reload;

/* 0: the configuration is in force. -EINVAL: reload_refused() says why not. Or another error. */
typedef void (*reload_ended_fn)(int r, void *userdata);

/* `path` (NULL: the usual one) and `inventory` must outlive the reload. */
int reload_new(Reload **ret, sd_event *event, Inventory *inventory, const char *path, bool once,
        reload_ended_fn fn, void *userdata);

/* Cancels a reload that runs. */
Reload *reload_free(Reload *reload);
DEFINE_CLEANUP(Reload *, reload_free);

void reload_request(Reload *reload);

/* Why the last reload was refused; NULL: it was not, or there was none. */
const ConfigProblem *reload_refused(const Reload *reload);

/* Reads the configuration as a reload does, and applies nothing: 0, -EINVAL with the problem, or
 * another error. */
int reload_try(const Reload *reload, ConfigProblem *ret_problem);

/* Returns true from the request to the end. */
bool reload_is_running(const Reload *reload);
