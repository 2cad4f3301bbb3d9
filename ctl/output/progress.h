#pragma once

/*
 * Progress: how far something is: one line that is written over on a terminal, a line for every
 * step otherwise, nothing at all for programs that read JSON.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "common/terminal.h"

typedef struct Progress {
        Terminal terminal;
        bool quiet;
        bool shown; /* the terminal's line holds something of ours */
} Progress;

Progress progress_open(FILE *stream, bool quiet);

/* A step: a line of its own, unless there is a terminal. */
void progress_step(Progress *progress, const char *text);

/* Where we are: on a terminal alone. */
void progress_show(Progress *progress, const char *format, ...) PRINTF(2, 3);

/* Before anything else is written to the terminal. */
void progress_clear(Progress *progress);
