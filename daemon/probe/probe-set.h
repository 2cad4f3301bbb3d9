#pragma once

/*
 * Probe set: the set of one material that is on disk, for the probes of the replication source.
 *
 * An inspector reads it, as for an import. What this user may not read, what does not validate and
 * a file system that does not answer are reasons why the source is not asked.
 */

#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "daemon/inspect/inspect-job.h"
#include "daemon/model/outcome.h"
#include "daemon/model/report.h"

typedef struct ProbeSet {
        InspectJob *job; /* NULL: not started, or ended */
        int payload_fd;  /* sealed; -1: there is no set, and `reason` says why */
        char fingerprint[REPORT_FINGERPRINT_MAX];
        char reason[OUTCOME_TEXT_MAX];
        void (*ended)(void *userdata);
        void *userdata;
} ProbeSet;

#define PROBE_SET_NULL ((ProbeSet){.payload_fd = -1})

/* Starts to read the files. `ended` is called once, later; the set stays where it is until
 * probe_set_done(). A negative errno: nothing was started. */
int probe_set_start(ProbeSet *set, sd_event *event, const MaterialConfig *material,
        void (*ended)(void *userdata), void *userdata);

/* Kills an inspector that still runs. */
void probe_set_done(ProbeSet *set);
