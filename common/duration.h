#pragma once

/*
 * Durations as people write them in the configuration: one or more of number and unit, with or
 * without spaces, "100ms", "5min", "1h 30min". Units: ms s min h d. A bare number is refused:
 * nobody remembers what it would count.
 */

#include <stddef.h>
#include <stdint.h>

/* -EINVAL: not a duration. -ERANGE: longer than 100 years. */
int duration_parse(uint64_t *ret_usec, const char *text);

/* At most the two largest units, rounded down: "2d 3h", "5min 10s", "150ms", "0s".
 * `buffer` must hold DURATION_TEXT_SIZE bytes; it is returned. */
#define DURATION_TEXT_SIZE 32
const char *duration_format(char *buffer, uint64_t usec);
