#pragma once

/*
 * Progress: shows how far a command is: one line that is overwritten on a terminal, a line for
 * each step elsewhere, and nothing when the output is JSON.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "common/terminal.h"

typedef struct Progress {
        Terminal terminal;
        bool quiet;
        bool shown; /* the present line of the terminal is progress */
} Progress;

Progress progress_open(FILE *stream, bool quiet);

/* Prints a step as a line, except on a terminal. */
void progress_step(Progress *progress, const char *text);

/* Replaces the line on a terminal; prints nothing elsewhere. */
void progress_show(Progress *progress, const char *format, ...) PRINTF(2, 3);

/* Removes the line. Must be called before other output to the terminal. */
void progress_clear(Progress *progress);
