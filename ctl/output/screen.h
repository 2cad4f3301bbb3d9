#pragma once

/*
 * Screen: paints a text on a terminal over the one before.
 *
 * No mode of the terminal is changed, not even for the time of the painting: whatever ends the
 * program, also a signal that it cannot handle, leaves the terminal as it was, with the last text
 * on it and the cursor below. What was on the terminal before is scrolled up, not erased. One write
 * paints a text, so that it does not flicker.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct Screen {
        FILE *stream;  /* a terminal */
        bool is_begun; /* something is painted */
} Screen;

/* Paints as many lines as the terminal has room for; a last one says how many there are more.
 * -ENOMEM; -EIO: the terminal is gone. */
int screen_paint(Screen *screen, const char *text);

/* Returns the size of the first lines of `text` that fit into `rows` of `columns`, where a longer
 * line takes several, and how many lines do not. Sequences that set colours have no width. */
size_t screen_fit(const char *text, unsigned columns, unsigned rows, unsigned *ret_n_cut);
