#pragma once

/*
 * Exporter: keeps a text file of metrics current for Prometheus' textfile collector.
 *
 * Written to a temporary in the same directory and renamed, mode 0644, at most once a second; its
 * modification time tells that the daemon lives, so it is written after every poll as well. Not
 * synced: after a crash of the machine it is written anew.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct MetricsFile MetricsFile;

/* Makes the text, a heap string. */
typedef int (*metrics_file_text_fn)(char **ret, void *userdata);

/* The file could not be written (an errno), or can be again (0); each is told once. */
typedef void (*metrics_file_error_fn)(const char *path, int error, void *userdata);

int metrics_file_new(MetricsFile **ret, sd_event *event, metrics_file_text_fn text_fn,
        metrics_file_error_fn told_fn, void *userdata);
MetricsFile *metrics_file_free(MetricsFile *metrics_file);
DEFINE_CLEANUP(MetricsFile *, metrics_file_free);

/* Where it stands; "" is nowhere. The old one is removed when it was another. */
void metrics_file_set_path(MetricsFile *metrics_file, const char *path);

/* Something may have changed. */
void metrics_file_poke(MetricsFile *metrics_file);
