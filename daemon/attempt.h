#pragma once

/*
 * Attempt: one importer process in its errand, and what came of it as an outcome: also when it was
 * killed at its deadline, died or could not be started.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/importer.h"

typedef struct Attempt Attempt;

/* The handler may free the attempt. */
typedef void (*attempt_end_fn)(const Outcome *outcome, void *userdata);

/* What the task points to is needed until this returns: the child has a copy of it. When nothing
 * could be started the errno is returned, and `ret_outcome` says so. */
int attempt_start(Attempt **ret, sd_event *event, const ImporterTask *task, attempt_end_fn fn,
        void *userdata, Outcome *ret_outcome);

/* An importer that still runs is killed. */
Attempt *attempt_free(Attempt *attempt);
DEFINE_CLEANUP(Attempt *, attempt_free);
