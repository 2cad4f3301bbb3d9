#pragma once

/*
 * Line: a TCP connection to a stranger, bounded in time and in bytes.
 *
 * Every call returns by the deadline, whatever the other side does, and no more than the budget is
 * ever taken from it. Errors are negative errno: -ETIMEDOUT the deadline, -EMSGSIZE the budget is
 * spent, -ENODATA the other side has ended the connection, -EADDRNOTAVAIL the name leads nowhere.
 */

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct addrinfo;

#define LINE_ADDRESS_MAX 64

typedef struct Line {
        int fd;                 /* -1: not connected */
        uint64_t deadline_usec; /* CLOCK_BOOTTIME */
        size_t budget;          /* bytes that may still come */
} Line;

#define LINE_NULL ((Line){.fd = -1})

void line_done(Line *line);

/* Tries every address of the list in order, each for its share of the time: one that swallows
 * packets leaves some for the next. `address` is the numeric one that took the call. */
int line_dial_each(Line *line, const struct addrinfo *list, char address[LINE_ADDRESS_MAX]);

/* The same for all that a name leads to. The resolver does not know the deadline; it has its own
 * (resolv.conf(5)). */
int line_dial(Line *line, const char *host, unsigned port, char address[LINE_ADDRESS_MAX]);

/* How many bytes came, at least one. */
ssize_t line_receive(Line *line, void *buffer, size_t size);
int line_receive_all(Line *line, uint8_t *buffer, size_t size);

int line_send_all(Line *line, const uint8_t *data, size_t size);

/* What such an error means, for a sentence. */
const char *line_error_text(int error);
