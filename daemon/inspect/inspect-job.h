#pragma once

/*
 * Inspect job: starts one inspector process and reports its result as a Report and a sealed
 * payload.
 *
 * The job creates the payload's descriptor, the inspector writes it, and the job seals it after the
 * inspector has exited: from then on no process can change the payload. The caller never maps it.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/report.h"

typedef struct InspectJob InspectJob;

typedef struct InspectResult {
        const Report *report; /* NULL: the inspector failed; lives until the handler returns */
        int payload_fd;       /* sealed, owned by the handler; -1: there is no good set */
        const char *error;    /* one sentence: the inspector or the sealing failed; NULL: neither */
} InspectResult;

/* The handler may free the job. */
typedef void (*inspect_job_end_fn)(const InspectResult *result, void *userdata);

/* Inspects the files of `config` at `now_usec` (wall clock). The process has a copy of `config`. */
int inspect_job_start(InspectJob **ret, sd_event *event, const MaterialConfig *config,
        uint64_t now_usec, inspect_job_end_fn fn, void *userdata);

/* Kills an inspector that still runs. */
InspectJob *inspect_job_free(InspectJob *job);
DEFINE_CLEANUP(InspectJob *, inspect_job_free);
