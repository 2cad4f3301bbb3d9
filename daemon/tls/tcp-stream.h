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

#define TCP_STREAM_ADDRESS_MAX 64

typedef struct TcpStream {
        int fd;                 /* -1: not connected */
        uint64_t deadline_usec; /* CLOCK_BOOTTIME */
        size_t budget;          /* bytes that may still come */
} TcpStream;

#define TCP_STREAM_NULL ((TcpStream){.fd = -1})

void tcp_stream_done(TcpStream *stream);

/* Tries every address of the list in order, each for its share of the time: one that swallows
 * packets leaves some for the next. `address` is the numeric one that took the call. */
int tcp_stream_connect_each(
        TcpStream *stream, const struct addrinfo *list, char address[TCP_STREAM_ADDRESS_MAX]);

/* The same for all that a name leads to. The resolver does not know the deadline; it has its own
 * (resolv.conf(5)). */
int tcp_stream_connect(
        TcpStream *stream, const char *host, unsigned port, char address[TCP_STREAM_ADDRESS_MAX]);

/* How many bytes came, at least one. */
ssize_t tcp_stream_receive(TcpStream *stream, void *buffer, size_t size);
int tcp_stream_receive_all(TcpStream *stream, uint8_t *buffer, size_t size);

int tcp_stream_send_all(TcpStream *stream, const uint8_t *data, size_t size);

/* What such an error means, for a sentence. */
const char *tcp_stream_error_text(int error);
