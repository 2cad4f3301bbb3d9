#include "daemon/tls/tcp-stream.h"

#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"

void tcp_stream_done(TcpStream *stream)
{
        closep(&stream->fd);
        *stream = TCP_STREAM_NULL;
}

/* Returns 0 if `fd` has one of the events, or an error, which the next call on it returns. */
static int wait_for(int fd, short events, uint64_t deadline_usec)
{
        struct pollfd poller = {.fd = fd, .events = events};

        for (;;) {
                int timeout = clock_poll_timeout(deadline_usec);
                int r;

                if (timeout == 0)
                        return -ETIMEDOUT;
                r = poll(&poller, 1, timeout);
                if (r > 0)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return -errno;
        }
}

static int connect_one(const struct addrinfo *address, uint64_t deadline_usec)
{
        CLEANUP(closep)
        int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                address->ai_protocol);
        socklen_t size = sizeof(int);
        int error = 0, r;

        if (fd < 0)
                return -errno;
        if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
                if (errno != EINPROGRESS)
                        return -errno;
                r = wait_for(fd, POLLOUT, deadline_usec);
                if (r < 0)
                        return r;
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                        return -errno;
                if (error != 0)
                        return -error;
        }
        return TAKE_FD(fd);
}

int tcp_stream_connect_each(
        TcpStream *stream, const struct addrinfo *list, char address[TCP_STREAM_ADDRESS_MAX])
{
        unsigned left = 0;
        int r = -EADDRNOTAVAIL;

        for (const struct addrinfo *each = list; each; each = each->ai_next)
                left++;
        for (const struct addrinfo *each = list; each && r < 0; each = each->ai_next, left--) {
                uint64_t share_usec = clock_left_usec(stream->deadline_usec) / left;

                r = connect_one(each, clock_boottime_usec() + share_usec);
                if (r < 0)
                        continue;
                stream->fd = r;
                (void)getnameinfo(each->ai_addr, each->ai_addrlen, address, TCP_STREAM_ADDRESS_MAX,
                        NULL, 0, NI_NUMERICHOST);
        }
        return r < 0 ? r : 0;
}

int tcp_stream_connect(
        TcpStream *stream, const char *host, unsigned port, char address[TCP_STREAM_ADDRESS_MAX])
{
        static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;
        char service[16];
        int r;

        snprintf(service, sizeof(service), "%u", port);
        if (getaddrinfo(host, service, &hints, &list) != 0)
                return -EADDRNOTAVAIL;
        r = tcp_stream_connect_each(stream, list, address);
        freeaddrinfo(list);
        return r;
}

ssize_t tcp_stream_receive(TcpStream *stream, void *buffer, size_t size)
{
        if (stream->budget == 0)
                return -EMSGSIZE;
        for (;;) {
                int r = wait_for(stream->fd, POLLIN, stream->deadline_usec);
                ssize_t n;

                if (r < 0)
                        return r;
                n = recv(stream->fd, buffer, size < stream->budget ? size : stream->budget, 0);
                if (n > 0) {
                        stream->budget -= (size_t)n;
                        return n;
                }
                if (n == 0)
                        return -ENODATA;
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
        }
}

int tcp_stream_receive_all(TcpStream *stream, uint8_t *buffer, size_t size)
{
        while (size > 0) {
                ssize_t n = tcp_stream_receive(stream, buffer, size);

                if (n < 0)
                        return (int)n;
                buffer += n;
                size -= (size_t)n;
        }
        return 0;
}

int tcp_stream_send_all(TcpStream *stream, const uint8_t *data, size_t size)
{
        while (size > 0) {
                int r = wait_for(stream->fd, POLLOUT, stream->deadline_usec);
                ssize_t n;

                if (r < 0)
                        return r;
                n = send(stream->fd, data, size, MSG_NOSIGNAL);
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        data += n;
                        size -= (size_t)n;
                }
        }
        return 0;
}

const char *tcp_stream_error_text(int error)
{
        switch (error) {
        case -ENODATA:
                return "the server has ended the connection";
        case -EMSGSIZE:
                return "the server sends more data than allowed";
        case -ETIMEDOUT:
                return "no answer in time";
        case -EADDRNOTAVAIL:
                return "the name has no address";
        default:
                return strerror(-error);
        }
}
