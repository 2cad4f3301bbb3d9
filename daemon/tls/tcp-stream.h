#pragma once

/*
 * TCP stream: a TCP connection to an untrusted peer, with a deadline and a receive limit.
 *
 * Every call returns by the deadline, and the stream never receives more bytes than its budget.
 * Errors are negative errno: -ETIMEDOUT: deadline passed; -EMSGSIZE: budget spent; -ENODATA: the
 * peer closed the connection; -EADDRNOTAVAIL: the name has no address.
 */

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct addrinfo;

#define TCP_STREAM_ADDRESS_MAX 64

typedef struct TcpStream {
        int fd;                 /* -1: not connected */
        uint64_t deadline_usec; /* CLOCK_BOOTTIME */
        size_t budget;          /* bytes that may still be received */
} TcpStream;

#define TCP_STREAM_NULL ((TcpStream){.fd = -1})

void tcp_stream_done(TcpStream *stream);

/* Tries every address of the list in order, each for an equal share of the time left, so that one
 * that drops packets leaves time for the next. `address` is the numeric one that accepted. */
int tcp_stream_connect_each(
        TcpStream *stream, const struct addrinfo *list, char address[TCP_STREAM_ADDRESS_MAX]);

/* The same for every address of a name. The resolver has time limits of its own (resolv.conf(5));
 * the deadline does not apply to it. */
int tcp_stream_connect(
        TcpStream *stream, const char *host, unsigned port, char address[TCP_STREAM_ADDRESS_MAX]);

/* Returns the number of bytes received, at least 1. */
ssize_t tcp_stream_receive(TcpStream *stream, void *buffer, size_t size);
int tcp_stream_receive_all(TcpStream *stream, uint8_t *buffer, size_t size);

int tcp_stream_send_all(TcpStream *stream, const uint8_t *data, size_t size);

/* The meaning of such an error as a part of a sentence. */
const char *tcp_stream_error_text(int error);
