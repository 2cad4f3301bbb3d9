#pragma once

/*
 * Attempt: one importer process in its errand, and what came of it as an outcome: also when it was
 * killed at its deadline, died or could not be started.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/import/import-task.h"
#include "daemon/model/outcome.h"

typedef struct ImportJob ImportJob;

/* The handler may free the attempt. */
typedef void (*import_job_end_fn)(const Outcome *outcome, void *userdata);

/* What the task points to is needed until this returns: the child has a copy of it. When nothing
 * could be started the errno is returned, and `ret_outcome` says so. */
int import_job_start(ImportJob **ret, sd_event *event, const ImportTask *task, import_job_end_fn fn,
        void *userdata, Outcome *ret_outcome);

/* An importer that still runs is killed. */
ImportJob *import_job_free(ImportJob *attempt);
DEFINE_CLEANUP(ImportJob *, import_job_free);
