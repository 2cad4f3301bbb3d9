#pragma once

/*
 * Socket deadline: ends all traffic on a socket at a given time.
 *
 * libmariadb's time-outs apply to each read: a server that sends a byte now and then, or is slow in
 * every step, exceeds any total; the job's deadline then kills the process and its result is lost.
 * Here a timer shuts the socket down (shutdown(2), which signal-safety(7) allows in a handler):
 * every read and write ends at once, and the caller can still report its result.
 *
 * One per process, because a signal handler has no object: for short-lived children only.
 */

#include <stdbool.h>
#include <stdint.h>

/* `deadline_usec` is CLOCK_BOOTTIME; one in the past expires at once. The caller owns `fd` and
 * keeps it open until socket_deadline_clear(). */
int socket_deadline_set(int fd, uint64_t deadline_usec);
void socket_deadline_clear(void);

/* Returns true if the last deadline has expired. */
bool socket_deadline_expired(void);
