#pragma once

/*
 * Terminal: prints text for people with colours, line breaks and relative times.
 *
 * Writes any text as it is: untrusted text must be made displayable (common/text.h) before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TERMINAL_COLUMNS_MAX 100

typedef struct Terminal {
        FILE *stream;
        bool is_tty;
        bool color;        /* a terminal, and NO_COLOR is not set (no-color.org) */
        bool wraps;        /* a terminal: a text that a program reads stays on its line */
        unsigned columns;  /* TERMINAL_COLUMNS_MAX, or fewer if the terminal is narrower */
        uint64_t now_usec; /* wall clock */
} Terminal;

Terminal terminal_open(FILE *stream);

/* Prints a state, health or verdict in its colour, padded to `width` columns. */
void terminal_word(const Terminal *terminal, const char *word, int width);

/* Print other text in the colour of `word`: the text between two calls, or `text`. */
void terminal_color_begin(const Terminal *terminal, const char *word);
void terminal_color_end(const Terminal *terminal);
void terminal_colored(const Terminal *terminal, const char *word, const char *text);

void terminal_heading(const Terminal *terminal, const char *text);

/* Prints `indent` columns, a label, and the text, broken between words and aligned behind the
 * label if the terminal wraps; ends the line. Breaks a word that is longer than a line. What a
 * person copies is not broken: a GRANT has a line of its own, however long; the first words of
 * other statements, and of a command of this program, systemctl(1) or journalctl(1), stay together.
 * Prints nothing if the text is empty. */
void terminal_paragraph(
        const Terminal *terminal, unsigned indent, const char *label, const char *text);

/* The same on one line, which can be copied as a whole. */
void terminal_line(const Terminal *terminal, unsigned indent, const char *label, const char *text);

/* "word: text" on one line, with the word in its colour; cut where the terminal wraps. */
void terminal_headline(const Terminal *terminal, const char *word, const char *text);

/* "3min 10s ago", "in 40s", "just now", "never" for 0. `buffer` has TERMINAL_TIME_SIZE bytes and is
 * returned. */
#define TERMINAL_TIME_SIZE 48
const char *terminal_time(char *buffer, const Terminal *terminal, uint64_t wall_usec);

/* The same with the largest unit alone: "3min ago", "in 1d". */
const char *terminal_rough_time(char *buffer, const Terminal *terminal, uint64_t wall_usec);

/* The time from `wall_usec` until now: "3min 10s". Needs DURATION_TEXT_SIZE bytes. */
const char *terminal_age(char *buffer, const Terminal *terminal, uint64_t wall_usec);

/* The number of characters of a UTF-8 text. */
size_t terminal_width(const char *text);
