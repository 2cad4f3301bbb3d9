#pragma once

/*
 * Clock: reads the clocks of the system, and reads and writes times and durations as text.
 *
 * All values are microseconds. Intervals and deadlines use CLOCK_BOOTTIME, which never steps and
 * counts suspend. Validity of certificates and every time that a person reads use the wall clock,
 * in microseconds since the epoch. A value of one clock is never compared with a value of the
 * other.
 */

#include <stdint.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MIN  (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)
#define USEC_PER_DAY  (24 * USEC_PER_HOUR)
#define USEC_NEVER    UINT64_MAX

uint64_t clock_boottime_usec(void);
uint64_t clock_wall_usec(void);

/* The wall clock at a boot time, by what it shows now: how long ago something was, or when it will
 * be, is kept as boot time and converted when it is read, because the wall clock may step between.
 * Answers for one time are equal until the clocks differ by 0.1 s more or less than before. */
uint64_t clock_wall_at_usec(uint64_t boottime_usec);

/* The time left until a deadline of CLOCK_BOOTTIME; 0 once it has passed. For poll(2) in
 * milliseconds, rounded up and at most INT_MAX. */
uint64_t clock_left_usec(uint64_t deadline_usec);
int clock_poll_timeout(uint64_t deadline_usec);

/* Returns earlier if a signal handler runs. */
void clock_sleep_usec(uint64_t usec);

/* CLOCK_MONOTONIC, which systemd requires with RELOADING=1 (sd_notify(3)) and nothing else uses. */
uint64_t clock_monotonic_usec(void);

/* Stands for each wall time before 1970, which only a certificate has: earlier than every other
 * one, and not 0, which is none. It is written as "1970-01-01 or earlier". */
#define CLOCK_BEFORE_1970 UINT64_C(1)

/* "2027-02-01" and "2027-02-01 14:05:09Z": UTC, so that the text means the same on every host.
 * `buffer` has CLOCK_TEXT_SIZE bytes and is returned. */
#define CLOCK_TEXT_SIZE    32
#define CLOCK_TIME_PATTERN "%Y-%m-%d %H:%M:%SZ" /* of strftime(3) */
const char *clock_format_date(char *buffer, uint64_t wall_usec);
const char *clock_format_time(char *buffer, uint64_t wall_usec);

/* Reads a duration of one or more numbers with units, with or without blanks: "100ms", "5min",
 * "1h 30min". Units: ms s min h d. -EINVAL: not a duration, or a number without a unit, which could
 * mean any of them. -ERANGE: longer than 100 years. */
int duration_parse(uint64_t *ret_usec, const char *text);

/* At most the two largest units, rounded down: "2d 3h", "5min 10s", "150ms", "0s". `buffer` has
 * DURATION_TEXT_SIZE bytes and is returned. */
#define DURATION_TEXT_SIZE 32
const char *duration_format(char *buffer, uint64_t usec);
