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

#define PAGE_COLUMNS_MAX 100

typedef struct Page {
        FILE *stream;
        bool terminal;
        bool color;        /* a terminal, and no NO_COLOR */
        unsigned columns;  /* PAGE_COLUMNS_MAX, or fewer when the terminal is narrower */
        uint64_t now_usec; /* wall clock */
} Page;

Page page_on(FILE *stream);

/* A word of the daemon's in the colour of what it means, in `width` columns. */
void page_word(const Page *page, const char *word, int width);

/* The same colour for other text: what stands between, or at once. */
void page_begin(const Page *page, const char *word);
void page_end(const Page *page);
void page_colored(const Page *page, const char *word, const char *text);

void page_heading(const Page *page, const char *text);

/* `indent` columns, a label, and the text broken between words below itself; ends the line. A
 * word longer than a line is broken too. Nothing for an empty text. */
void page_sentence(const Page *page, unsigned indent, const char *label, const char *text);

/* "word: text", the word in its colour. */
void page_headline(const Page *page, const char *word, const char *text);

/* "3min 10s ago", "in 40s", "just now", "never" for 0. Returns `buffer`. */
#define PAGE_TIME_SIZE 48
const char *page_time(char *buffer, const Page *page, uint64_t wall_usec);

/* The time from then until now: "3min 10s". */
const char *page_age(char *buffer, const Page *page, uint64_t wall_usec);

/* Columns that a text takes: its characters. */
size_t page_width(const char *text);
