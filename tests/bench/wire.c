/*
 * Wire: a TCP proxy on loopback with the latency of a long network path, for many connections.
 *
 * bench-wire SERVER-PORT ONE-WAY-MILLISECONDS
 *
 * Prints the port on which it listens, and forwards both directions with the same delay. The kernel
 * completes a client's connect at once, so the proxy connects to the server after three delays
 * (SYN, SYN-ACK, ACK); the server's greeting then arrives as late as over the network.
 */

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define CHUNK_MAX    16384
#define CONNECT_LEGS 3

typedef struct End End;

struct End {
        int fd;
        bool ended; /* its socket is shut down for writing */
        End *peer;
};

/* Data on the way to `to`. Without bytes: the end of the stream, or a connect if `legs` > 0. */
typedef struct Parcel Parcel;

struct Parcel {
        Parcel *next;
        uint64_t due_usec;
        unsigned legs; /* of a connect: the delays that are left */
        End *to;
        size_t size;
        char bytes[];
};

typedef struct Wire {
        int epoll_fd;
        int listen_fd;
        struct sockaddr_in server;
        uint64_t one_way_usec;
        Parcel *first, **last; /* in the order of time, because every delay is the same */
} Wire;

static struct sockaddr_in loopback(uint16_t port)
{
        return (struct sockaddr_in){.sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void enqueue(Wire *wire, Parcel *parcel)
{
        parcel->due_usec = clock_boottime_usec() + wire->one_way_usec;
        parcel->next = NULL;
        *wire->last = parcel;
        wire->last = &parcel->next;
}

static void send_later(Wire *wire, End *to, unsigned legs, const char *bytes, size_t size)
{
        Parcel *parcel = malloc(sizeof(*parcel) + size);

        if (!parcel)
                err(1, "malloc");
        *parcel = (Parcel){.legs = legs, .to = to, .size = size};
        if (size > 0)
                memcpy(parcel->bytes, bytes, size);
        enqueue(wire, parcel);
}

static void watch(Wire *wire, End *end)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};

        if (epoll_ctl(wire->epoll_fd, EPOLL_CTL_ADD, end->fd, &event) < 0)
                err(1, "epoll_ctl");
}

static int new_socket(void)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                err(1, "socket");
        return fd;
}

static void set_no_delay(int fd)
{
        static const int yes = 1;

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static void accept_client(Wire *wire)
{
        int fd = accept4(wire->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        End *client = calloc(1, sizeof(*client)), *server = calloc(1, sizeof(*server));

        if (fd < 0 || !client || !server)
                err(1, "accept");
        set_no_delay(fd);
        *client = (End){.fd = fd, .peer = server};
        *server = (End){.fd = new_socket(), .peer = client};
        send_later(wire, server, CONNECT_LEGS, NULL, 0);
}

static void receive(Wire *wire, End *from)
{
        char bytes[CHUNK_MAX];
        ssize_t n = recv(from->fd, bytes, sizeof(bytes), 0);

        if (n <= 0)
                (void)epoll_ctl(wire->epoll_fd, EPOLL_CTL_DEL, from->fd, NULL);
        send_later(wire, from->peer, 0, bytes, n < 0 ? 0 : (size_t)n);
}

/* Frees a connection after both directions have ended, when no parcel of it is left. */
static void end_direction(End *to)
{
        End *peer = to->peer;

        to->ended = true;
        (void)shutdown(to->fd, SHUT_WR);
        if (!peer->ended)
                return;
        close(to->fd);
        close(peer->fd);
        free(to);
        free(peer);
}

static void deliver(Wire *wire, Parcel *parcel)
{
        End *to = parcel->to;

        if (parcel->legs > 1) {
                parcel->legs--;
                enqueue(wire, parcel);
                return;
        }
        if (parcel->legs == 1) {
                if (connect(to->fd, (struct sockaddr *)&wire->server, sizeof(wire->server)) < 0)
                        err(1, "connect");
                set_no_delay(to->fd);
                watch(wire, to);
                watch(wire, to->peer);
        } else if (parcel->size == 0)
                end_direction(to);
        else
                /* The socket's buffer has room for all that a benchmark sends. */
                (void)send(to->fd, parcel->bytes, parcel->size, MSG_NOSIGNAL);
        free(parcel);
}

/* Delivers every parcel that is due. Returns the time until the next one, in microseconds; -1:
 * none. */
static int64_t deliver_due(Wire *wire)
{
        while (wire->first) {
                Parcel *parcel = wire->first;
                uint64_t now_usec = clock_boottime_usec();

                if (parcel->due_usec > now_usec)
                        return (int64_t)(parcel->due_usec - now_usec);
                wire->first = parcel->next;
                if (!wire->first)
                        wire->last = &wire->first;
                deliver(wire, parcel);
        }
        return -1;
}

static void open_wire(Wire *wire)
{
        struct sockaddr_in address = loopback(0);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        socklen_t size = sizeof(address);

        wire->last = &wire->first;
        wire->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        wire->listen_fd = new_socket();
        if (wire->epoll_fd < 0 ||
                bind(wire->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                listen(wire->listen_fd, SOMAXCONN) < 0 ||
                getsockname(wire->listen_fd, (struct sockaddr *)&address, &size) < 0 ||
                epoll_ctl(wire->epoll_fd, EPOLL_CTL_ADD, wire->listen_fd, &event) < 0)
                err(1, "listen");
        printf("%u\n", ntohs(address.sin_port));
        (void)fflush(stdout);
}

int main(int argc, char **argv)
{
        struct rlimit files = {4096, 4096};
        Wire wire = {0};

        if (argc != 3)
                errx(2, "SERVER-PORT ONE-WAY-MILLISECONDS");
        (void)setrlimit(RLIMIT_NOFILE, &files);
        wire.server = loopback((uint16_t)atoi(argv[1]));
        wire.one_way_usec = (uint64_t)atoi(argv[2]) * USEC_PER_MSEC;
        open_wire(&wire);
        for (;;) {
                struct epoll_event events[64];
                int64_t usec = deliver_due(&wire);
                struct timespec time = {.tv_nsec = (long)usec * 1000};
                int n = epoll_pwait2(wire.epoll_fd, events, 64, usec < 0 ? NULL : &time, NULL);

                if (n < 0 && errno != EINTR)
                        err(1, "epoll_wait");
                for (int i = 0; i < n; i++)
                        if (events[i].data.ptr)
                                receive(&wire, events[i].data.ptr);
                        else
                                accept_client(&wire);
        }
}
