#pragma once

/*
 * Import job: starts one importer process and reports its result as an Outcome, also if the process
 * was killed at its deadline, crashed or could not be started.
 *
 * The importer reads what a server sends, so what it sends itself is not trusted: a result or a
 * request that is none (outcome_is_valid()) is not used, and the outcome is that of a crash.
 */

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/import/import-task.h"
#include "daemon/model/outcome.h"
#include "daemon/model/record.h"

typedef struct ImportJob ImportJob;

typedef struct ImportJobHandlers {
        /* The result. May free the job, unless import_job_is_stuck(). */
        void (*ended)(const Outcome *outcome, void *userdata);
        /* While the process runs, before it stops replication. Returns 0 when the stop is
         * recorded durably, else a negative errno: then replication is not stopped, and nothing
         * is imported. */
        int (*stop)(const RecordStop *stop, void *userdata);
        /* A stuck process has ended. May free the job. */
        void (*released)(void *userdata);
        void *userdata;
} ImportJobHandlers;

/* The child has a copy of the task, so the task and its pointers may be freed after the call. On
 * error nothing was started, and `ret_outcome` has the reason. */
int import_job_start(ImportJob **ret, sd_event *event, const ImportTask *task,
        const ImportJobHandlers *handlers, Outcome *ret_outcome);

/* Returns true if the process was killed at its deadline and has not ended: it waits in the kernel
 * for a file system that does not respond, as that of password-file or server-ca. */
bool import_job_is_stuck(const ImportJob *job);

/* Returns true if this is the server of the cluster for which it was started. */
bool import_job_is_into(const ImportJob *job, const char *host, unsigned port);

/* Kills an importer that still runs. */
ImportJob *import_job_free(ImportJob *job);
DEFINE_CLEANUP(ImportJob *, import_job_free);
