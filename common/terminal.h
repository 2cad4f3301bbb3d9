#pragma once

/*
 * Page: where text for people goes: how wide it is, whether it has colours, what time it is.
 *
 * Everything that came from elsewhere passes common/text.h before it is put on a page.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/macro.h"

#define TERMINAL_COLUMNS_MAX 100

typedef struct Terminal {
        FILE *stream;
        bool is_tty;
        bool color;        /* a terminal, and no NO_COLOR */
        unsigned columns;  /* TERMINAL_COLUMNS_MAX, or fewer when the terminal is narrower */
        uint64_t now_usec; /* wall clock */
} Terminal;

Terminal terminal_open(FILE *stream);

/* A word of the daemon's in the colour of what it means, in `width` columns. */
void terminal_word(const Terminal *terminal, const char *word, int width);

/* The same colour for other text: what stands between, or at once. */
void terminal_color_begin(const Terminal *terminal, const char *word);
void terminal_color_end(const Terminal *terminal);
void terminal_colored(const Terminal *terminal, const char *word, const char *text);

void terminal_heading(const Terminal *terminal, const char *text);

/* `indent` columns, a label, and the text broken between words below itself; ends the line. A
 * word longer than a line is broken too. Nothing for an empty text. */
void terminal_paragraph(
        const Terminal *terminal, unsigned indent, const char *label, const char *text);

/* "word: text", the word in its colour. */
void terminal_headline(const Terminal *terminal, const char *word, const char *text);

/* "3min 10s ago", "in 40s", "just now", "never" for 0. Returns `buffer`. */
#define TERMINAL_TIME_SIZE 48
const char *terminal_time(char *buffer, const Terminal *terminal, uint64_t wall_usec);

/* The time from then until now: "3min 10s". */
const char *terminal_age(char *buffer, const Terminal *terminal, uint64_t wall_usec);

/* Columns that a text takes: its characters. */
size_t terminal_width(const char *text);
