#pragma once

/*
 * Import job: starts one importer process and reports its result as an Outcome, also if the process
 * was killed at its deadline, crashed or could not be started.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/import/import-task.h"
#include "daemon/model/outcome.h"
#include "daemon/model/record.h"

typedef struct ImportJob ImportJob;

/* Called once, when the process has ended. May free the job. */
typedef void (*import_job_end_fn)(const Outcome *outcome, void *userdata);

/* Called while the process runs, before it stops replication. Returns 0 when the stop is recorded
 * durably, else a negative errno: then replication is not stopped, and nothing is imported. */
typedef int (*import_job_stop_fn)(const RecordStop *stop, void *userdata);

/* The child has a copy of the task, so the task and its pointers may be freed after the call. On
 * error nothing was started, and `ret_outcome` has the reason. */
int import_job_start(ImportJob **ret, sd_event *event, const ImportTask *task, import_job_end_fn fn,
        import_job_stop_fn stop_fn, void *userdata, Outcome *ret_outcome);

/* Kills an importer that still runs. */
ImportJob *import_job_free(ImportJob *job);
DEFINE_CLEANUP(ImportJob *, import_job_free);
