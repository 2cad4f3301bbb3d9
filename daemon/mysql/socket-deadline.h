#pragma once

/*
 * Cutoff: ends a conversation at a time, whatever it is at.
 *
 * libmariadb's time-outs are of each read: a server that says a byte now and then, or one that is
 * slow at every step, outlasts them all, and then the process is killed and takes what it knows
 * with it. Here a timer shuts the socket down (shutdown(2), which signal-safety(7) allows in a
 * handler): every read and write ends at once, and the caller is left to say what came of it.
 *
 * One in a process, for a signal handler knows no object: for short-lived children only.
 */

#include <stdbool.h>
#include <stdint.h>

/* `deadline_usec` is boot time; a past one falls at once. The descriptor stays the caller's and must
 * be open until the cutoff is disarmed. */
int socket_deadline_set(int fd, uint64_t deadline_usec);
void socket_deadline_clear(void);

/* It has fallen since it was armed. */
bool socket_deadline_expired(void);
