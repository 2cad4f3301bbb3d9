#pragma once

/*
 * Inspect job: starts one inspector process and reports its result as a Report and a sealed
 * payload.
 *
 * A file system that does not answer is not a fault of the files: the inspector is killed, the
 * caller is told at once, and the end is reported when the process has ended, which may be much
 * later. Two inspectors of one material are never needed: the caller waits for the end.
 *
 * The inspector reads foreign files, so its report is not trusted: one that is none
 * (report_is_valid()) is not used.
 *
 * The job creates the payload's descriptor, the inspector writes it, and the job seals it after the
 * inspector has exited: from then on no process can change the payload. The caller never maps it.
 */

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/report.h"

typedef struct InspectJob InspectJob;

typedef struct InspectResult {
        const Report *report; /* NULL: the inspector failed; lives until the handler returns */
        int payload_fd;       /* sealed, owned by the handler; -1: there is no good set */
        const char *error;    /* one sentence: the inspector or the sealing failed; NULL: neither */
        bool not_read;        /* nothing is known: the file system did not answer */
} InspectResult;

typedef struct InspectJobHandlers {
        /* May free the job. */
        void (*ended)(const InspectResult *result, void *userdata);
        /* The file system does not answer; `ended` follows. */
        void (*not_responding)(void *userdata);
        void *userdata;
} InspectJobHandlers;

/* Inspects the files of `config` at `now_usec` (wall clock). The process has a copy of `config`. */
int inspect_job_start(InspectJob **ret, sd_event *event, const MaterialConfig *config,
        uint64_t now_usec, const InspectJobHandlers *handlers);

/* Kills an inspector that still runs. */
InspectJob *inspect_job_free(InspectJob *job);
DEFINE_CLEANUP(InspectJob *, inspect_job_free);
