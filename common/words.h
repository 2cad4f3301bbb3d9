#pragma once

/*
 * Words: takes a line apart, for a program that is to be started without a shell.
 *
 * Blanks (space and tab) separate words. What stands between two double quotes belongs to its word
 * as it is, blanks too; the quotes themselves do not, and "" alone is a word without a character.
 * Nothing else means anything: no backslash, apostrophe, dollar or semicolon. So a word cannot hold a
 * double quote.
 */

#include <stddef.h>

/* Cuts `line` in place; `ret` gets the words, which point into it, and a NULL behind them, so it has
 * room for `max` + 1. Returns how many there are. -EINVAL: a double quote without its second. -E2BIG:
 * more than `max`. */
int words_split(char **ret, size_t max, char *line);
