#pragma once

/*
 * Metrics file: keeps a text file of metrics current for the textfile collector of Prometheus' node
 * exporter.
 *
 * The text is written to a temporary file in the same directory, mode 0644, and renamed, at most
 * once a second. An alert takes its modification time as the sign that the daemon runs, so callers
 * also poke after every poll. Not synced: after a crash of the machine the daemon writes the file
 * again.
 *
 * A process of its own writes the file, one at a time and for at most 30 s, since its file system
 * may hang.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct MetricsFile MetricsFile;

/* Returns the text, a heap string. */
typedef int (*metrics_file_text_fn)(char **ret, void *userdata);

/* The file could not be written (an errno), or was written again (0). Called once per change. */
typedef void (*metrics_file_error_fn)(const char *path, int error, void *userdata);

int metrics_file_new(MetricsFile **ret, sd_event *event, metrics_file_text_fn text_fn,
        metrics_file_error_fn error_fn, void *userdata);
MetricsFile *metrics_file_free(MetricsFile *file);
DEFINE_CLEANUP(MetricsFile *, metrics_file_free);

/* Sets the path of the file, "" for none; the next write removes the file at another old path. */
void metrics_file_set_path(MetricsFile *file, const char *path);

/* Schedules a write, because the text may have changed. */
void metrics_file_poke(MetricsFile *file);
