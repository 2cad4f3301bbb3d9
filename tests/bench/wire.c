/*
 * Wire: a TCP proxy on loopback that is as slow as a long wire, for many connections at once.
 *
 *     bench-wire SERVER-PORT ONE-WAY-MILLISECONDS
 *
 * Prints the port that it listens on, and passes on what comes, each direction later by the same
 * time. The kernel lets a client connect at once; so the server hears of it after three times that
 * time (SYN, SYN-ACK, ACK), and its greeting comes as late as on a wire.
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
        bool ended; /* it was told that nothing more comes */
        End *peer;
};

/* On its way to `to`; without bytes it is the end of what comes, or the connect. */
typedef struct Parcel Parcel;

struct Parcel {
        Parcel *next;
        uint64_t due_usec;
        unsigned legs; /* of a connect: how many are still to go */
        End *to;
        size_t size;
        char bytes[];
};

typedef struct Wire {
        int epoll_fd;
        int listen_fd;
        struct sockaddr_in server;
        uint64_t one_way_usec;
        Parcel *first, **last; /* every delay is the same, so this is the order of time */
} Wire;

static struct sockaddr_in loopback(uint16_t port)
{
        return (struct sockaddr_in){.sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void send_off(Wire *wire, Parcel *parcel)
{
        parcel->due_usec = clock_boottime_usec() + wire->one_way_usec;
        parcel->next = NULL;
        *wire->last = parcel;
        wire->last = &parcel->next;
}

static void pack(Wire *wire, End *to, unsigned legs, const char *bytes, size_t size)
{
        Parcel *parcel = malloc(sizeof(*parcel) + size);

        if (!parcel)
                err(1, "malloc");
        *parcel = (Parcel){.legs = legs, .to = to, .size = size};
        if (size > 0)
                memcpy(parcel->bytes, bytes, size);
        send_off(wire, parcel);
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

static void set_prompt(int fd)
{
        static const int yes = 1;

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static void admit(Wire *wire)
{
        int fd = accept4(wire->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        End *client = calloc(1, sizeof(*client)), *server = calloc(1, sizeof(*server));

        if (fd < 0 || !client || !server)
                err(1, "accept");
        set_prompt(fd);
        *client = (End){.fd = fd, .peer = server};
        *server = (End){.fd = new_socket(), .peer = client};
        pack(wire, server, CONNECT_LEGS, NULL, 0);
}

static void take(Wire *wire, End *from)
{
        char bytes[CHUNK_MAX];
        ssize_t n = recv(from->fd, bytes, sizeof(bytes), 0);

        if (n <= 0)
                (void)epoll_ctl(wire->epoll_fd, EPOLL_CTL_DEL, from->fd, NULL);
        pack(wire, from->peer, 0, bytes, n < 0 ? 0 : (size_t)n);
}

/* Both directions have come to their end before anything is freed: no parcel is left. */
static void end(End *to)
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
                send_off(wire, parcel);
                return;
        }
        if (parcel->legs == 1) {
                if (connect(to->fd, (struct sockaddr *)&wire->server, sizeof(wire->server)) < 0)
                        err(1, "connect");
                set_prompt(to->fd);
                watch(wire, to);
                watch(wire, to->peer);
        } else if (parcel->size == 0)
                end(to);
        else
                /* Little passes, and a socket's buffer has room for all of it. */
                (void)send(to->fd, parcel->bytes, parcel->size, MSG_NOSIGNAL);
        free(parcel);
}

/* Delivers what is due; returns the time until something is, in microseconds, or -1. */
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
                                take(&wire, events[i].data.ptr);
                        else
                                admit(&wire);
        }
}
