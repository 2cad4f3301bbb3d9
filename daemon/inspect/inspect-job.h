#pragma once

/*
 * Inspect job: starts one inspector process and reports its result as a Report and a sealed payload.
 *
 * The descriptor of the payload is made here and written by the inspector; it is sealed when the
 * inspector has exited, so from then on nobody can change it. The caller never maps it.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config/config.h"
#include "daemon/model/report.h"

typedef struct InspectJob InspectJob;

typedef struct InspectResult {
        const Report
                *report;   /* NULL: the inspection itself failed; lives until the handler returns */
        int payload_fd;    /* sealed, the handler takes it over; -1: there is no good set */
        const char *error; /* why the inspection failed, one sentence; NULL: it did not */
} InspectResult;

/* The handler may free the job. */
typedef void (*inspect_job_end_fn)(const InspectResult *result, void *userdata);

/* Inspects the files of `config` at `now_usec` (wall clock). `config` must live until the start has
 * returned: the process has a copy of it. */
int inspect_job_start(InspectJob **ret, sd_event *event, const MaterialConfig *config,
        uint64_t now_usec, inspect_job_end_fn fn, void *userdata);

/* Kills an inspector that still runs. */
InspectJob *inspect_job_free(InspectJob *job);
DEFINE_CLEANUP(InspectJob *, inspect_job_free);
