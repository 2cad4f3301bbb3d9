#include "daemon/varlink/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59 /* asm-generic/socket.h, Linux 4.13 */
#endif

struct Connection {
        int fd;
        connection_call_fn call_fn;
        connection_end_fn end_fn;
        void *userdata;
        sd_event_source *io;
        sd_event_source *idle;
        char *input; /* grows to CONNECTION_MESSAGE_MAX */
        size_t input_size, input_capacity;
        char *output;
        size_t output_size, output_sent, output_capacity;
        bool handling; /* the handler runs */
        bool streaming;
        bool finished; /* the client has ended its side */
};

static size_t backlog(const Connection *connection)
{
        return connection->output_size - connection->output_sent;
}

static int append(Connection *connection, const char *message, size_t size)
{
        if (connection->output_size + size > connection->output_capacity) {
                size_t capacity = (connection->output_size + size) * 2;
                char *output = realloc(connection->output, capacity);

                if (!output)
                        return -ENOMEM;
                connection->output = output;
                connection->output_capacity = capacity;
        }
        memcpy(connection->output + connection->output_size, message, size);
        connection->output_size += size;
        return 0;
}

static int reply(Connection *connection, const char *parameters, const char *error, bool continues)
{
        CLEANUP(freep) char *message = NULL;
        size_t size;
        int r = varlink_reply_format(&message, &size, parameters, error, continues);

        return r < 0 ? r : append(connection, message, size);
}

/* A negative result ends the connection. */
static int handle(Connection *connection, const char *message, size_t size)
{
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;
        CLEANUP(freep) char *parameters = NULL;
        const char *error = NULL;
        int r;

        r = varlink_call_parse(&call, message, size);
        connection->handling = true;
        if (r == 0)
                r = connection->call_fn(
                        connection, &call, &parameters, &error, connection->userdata);
        connection->handling = false;
        if (r < 0 || call.oneway || connection->streaming)
                return r;
        return reply(connection, parameters, error, false);
}

static int send_output(Connection *connection)
{
        while (backlog(connection) > 0) {
                ssize_t n = send(connection->fd, connection->output + connection->output_sent,
                        backlog(connection), MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                connection->output_sent += (size_t)n;
        }
        free(connection->output); /* most clients call rarely */
        connection->output = NULL;
        connection->output_size = connection->output_sent = connection->output_capacity = 0;
        return 0;
}

/* Answers complete messages in order, one at a time: the next message, and with it its sender,
 * waits until the answer is sent. Messages after a streaming call are not answered. */
static int process(Connection *connection)
{
        while (backlog(connection) == 0 && !connection->streaming) {
                char *end = connection->input_size > 0
                        ? memchr(connection->input, '\0', connection->input_size)
                        : NULL;
                size_t size;
                int r;

                if (!end)
                        return connection->input_size >= CONNECTION_MESSAGE_MAX ? -EMSGSIZE : 0;
                size = (size_t)(end - connection->input);
                r = handle(connection, connection->input, size);
                if (r < 0)
                        return r;
                connection->input_size -= size + 1;
                memmove(connection->input, end + 1, connection->input_size);
                r = send_output(connection);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int receive(Connection *connection)
{
        ssize_t n;

        if (connection->input_size == connection->input_capacity) {
                size_t capacity =
                        connection->input_capacity > 0 ? connection->input_capacity * 2 : 1024;
                char *input = realloc(connection->input, capacity);

                if (!input)
                        return -ENOMEM;
                connection->input = input;
                connection->input_capacity = capacity;
        }
        n = recv(connection->fd, connection->input + connection->input_size,
                connection->input_capacity - connection->input_size, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        connection->finished = n == 0;
        connection->input_size += (size_t)n;
        return 0;
}

/* A client with a stream sends no further call: wait until it leaves or reads. */
static void wait_for_more(Connection *connection)
{
        uint32_t events = connection->streaming ? EPOLLRDHUP : EPOLLIN;
        bool silent = connection->streaming && backlog(connection) == 0;

        if (backlog(connection) > 0)
                events = connection->streaming ? EPOLLRDHUP | EPOLLOUT : EPOLLOUT;
        (void)sd_event_source_set_io_events(connection->io, events);
        (void)sd_event_source_set_time_relative(connection->idle, CONNECTION_IDLE_USEC);
        (void)sd_event_source_set_enabled(
                connection->idle, silent ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Connection *connection = userdata;
        bool left = connection->streaming && (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
        int r = 0;

        if (events & EPOLLOUT)
                r = send_output(connection);
        if (r == 0 && !connection->streaming && (events & (EPOLLIN | EPOLLHUP)) != 0 &&
                backlog(connection) == 0)
                r = receive(connection);
        if (r == 0)
                r = process(connection);
        if (r < 0 || left || (events & EPOLLERR) != 0 ||
                (connection->finished && backlog(connection) == 0))
                connection->end_fn(connection, connection->userdata);
        else
                wait_for_more(connection);
        return 0;
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
        Connection *connection = userdata;

        connection->end_fn(connection, connection->userdata);
        return 0;
}

int connection_new(Connection **ret, sd_event *event, int fd, connection_call_fn call_fn,
        connection_end_fn end_fn, void *userdata)
{
        CLEANUP(connection_freep) Connection *connection = calloc(1, sizeof(*connection));
        int r;

        if (!connection) {
                close(fd);
                return -ENOMEM;
        }
        *connection =
                (Connection){.fd = fd, .call_fn = call_fn, .end_fn = end_fn, .userdata = userdata};
        r = sd_event_add_io(event, &connection->io, fd, EPOLLIN, on_io, connection);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &connection->idle, CLOCK_BOOTTIME,
                        CONNECTION_IDLE_USEC, USEC_PER_SEC, on_idle, connection);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(connection->io, "connection");
        *ret = TAKE(connection);
        return 0;
}

Connection *connection_free(Connection *connection)
{
        if (!connection)
                return NULL;
        sd_event_source_disable_unref(connection->io);
        sd_event_source_disable_unref(connection->idle);
        close(connection->fd);
        free(connection->input);
        free(connection->output);
        free(connection);
        return NULL;
}

void connection_stream(Connection *connection)
{
        connection->streaming = true;
}

int connection_publish(Connection *connection, const char *parameters)
{
        int r;

        if (!connection->streaming)
                return 0;
        if (backlog(connection) > CONNECTION_BACKLOG_MAX && !connection->handling)
                return -ENOBUFS;
        r = reply(connection, parameters, NULL, true);
        if (r == 0)
                r = send_output(connection);
        if (r == 0)
                wait_for_more(connection);
        return r;
}

bool connection_is_streaming(const Connection *connection)
{
        return connection->streaming;
}

int connection_peer_uid(const Connection *connection, uid_t *ret)
{
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        *ret = peer.uid;
        return 0;
}

bool connection_peer_is_member(const Connection *connection, gid_t group)
{
        CLEANUP(freep) gid_t *groups = NULL;
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return false;
        if (peer.gid == group)
                return true;
        size = 0;
        if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 ||
                errno != ERANGE)
                return false;
        groups = malloc(size);
        if (!groups || getsockopt(connection->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
                return false;
        for (size_t i = 0; i < size / sizeof(*groups); i++)
                if (groups[i] == group)
                        return true;
        return false;
}
