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

typedef struct Exporter Exporter;

/* Makes the text, a heap string. */
typedef int (*exporter_text_fn)(char **ret, void *userdata);

/* The file could not be written (an errno), or can be again (0); each is told once. */
typedef void (*exporter_told_fn)(const char *path, int error, void *userdata);

int exporter_new(Exporter **ret, sd_event *event, exporter_text_fn text_fn,
        exporter_told_fn told_fn, void *userdata);
Exporter *exporter_free(Exporter *exporter);
DEFINE_CLEANUP(Exporter *, exporter_free);

/* Where it stands; "" is nowhere. The old one is removed when it was another. */
void exporter_set_path(Exporter *exporter, const char *path);

/* Something may have changed. */
void exporter_poke(Exporter *exporter);
