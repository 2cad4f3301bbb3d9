#pragma once

/*
 * Status line: the STATUS= of systemd (sd_notify(3)), which systemctl status shows: the line of
 * daemon/status/summary.h, when it has changed.
 *
 * Every cluster is looked at for the line, so of many changes in a row it is made for the first and
 * then at most every STATUS_LINE_PAUSE_USEC.
 */

#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/model/status.h"

#define STATUS_LINE_PAUSE_USEC (200 * UINT64_C(1000))

typedef struct StatusLine StatusLine;

typedef ManagerStatus (*status_line_status_fn)(void *userdata);

int status_line_new(StatusLine **ret, sd_event *event, status_line_status_fn fn, void *userdata);
StatusLine *status_line_free(StatusLine *line);
DEFINE_CLEANUP(StatusLine *, status_line_free);

/* Something may have changed: the line is made soon. */
void status_line_poke(StatusLine *line);
