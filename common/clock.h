#pragma once

/*
 * The two clocks of the house, in microseconds.
 *
 * Intervals and deadlines run on CLOCK_BOOTTIME: it never steps and it counts suspend. Validity of
 * certificates and everything that a person reads runs on the wall clock. A value of one is never
 * compared with a value of the other.
 */

#include <stddef.h>
#include <stdint.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MIN  (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)
#define USEC_PER_DAY  (24 * USEC_PER_HOUR)
#define USEC_NEVER    UINT64_MAX

uint64_t clock_boottime_usec(void);
uint64_t clock_wall_usec(void);

/* Only for systemd, which wants it with RELOADING=1 (sd_notify(3)). */
uint64_t clock_monotonic_usec(void);

/* "2027-02-01" and "2027-02-01 14:05:09Z": UTC, so that a line means the same wherever it is
 * read. `buffer` must hold CLOCK_TEXT_SIZE bytes; it is returned. */
#define CLOCK_TEXT_SIZE 32
const char *clock_format_date(char *buffer, uint64_t wall_usec);
const char *clock_format_time(char *buffer, uint64_t wall_usec);

/*
 * Durations as people write them in the configuration: one or more of number and unit, with or
 * without spaces, "100ms", "5min", "1h 30min". Units: ms s min h d. A bare number is refused:
 * nobody remembers what it would count.
 */

/* -EINVAL: not a duration. -ERANGE: longer than 100 years. */
int duration_parse(uint64_t *ret_usec, const char *text);

/* At most the two largest units, rounded down: "2d 3h", "5min 10s", "150ms", "0s".
 * `buffer` must hold DURATION_TEXT_SIZE bytes; it is returned. */
#define DURATION_TEXT_SIZE 32
const char *duration_format(char *buffer, uint64_t usec);
