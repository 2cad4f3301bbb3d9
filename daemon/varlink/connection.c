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
        uid_t uid; /* of the client */
        connection_call_fn call_fn;
        connection_end_fn end_fn;
        void *userdata;
        sd_event_source *io;
        sd_event_source *idle;
        char *input; /* grows to CONNECTION_MESSAGE_MAX */
        size_t input_begin, input_size, input_capacity;
        unsigned n_calls;     /* without a pause between them */
        uint64_t called_usec; /* boot time of the last one */
        const Backlog *backlog;
        BacklogPosition position;
        char *output; /* one message of its own, before the backlog */
        size_t output_size;
        size_t sent; /* of `output`, or without one of the next publication */
        connection_next_fn next_fn;
        connection_cancel_fn cancel_fn; /* of a series */
        void *next_userdata;
        ConnectionCursor cursor;
        bool streaming;
        bool waiting;   /* a series has no answer yet */
        bool postponed; /* a call is not answered yet */
        bool finished;  /* the client has ended its side */
        bool overrun;   /* the client is too far behind, or cannot be answered */
        bool progress;  /* bytes have arrived or left, or a call was handled */
};

/* Takes the next message for the client, after everything before it is sent. */
static int reply(Connection *connection, const char *parameters, const char *error, bool continues)
{
        return varlink_reply_format(
                &connection->output, &connection->output_size, parameters, error, continues);
}

static bool is_series(const Connection *connection)
{
        return connection->next_fn && !connection->streaming;
}

/* Returns true if a call is not, or not completely, answered. */
static bool is_pending(const Connection *connection)
{
        return connection->postponed || is_series(connection);
}

static bool is_owed(const Connection *connection)
{
        return connection->output || (connection->next_fn && !connection->waiting) ||
                connection_is_behind(connection);
}

static int make_next(Connection *connection)
{
        CLEANUP(freep) char *parameters = NULL;
        int r = connection->next_fn(
                connection, &connection->cursor, &parameters, connection->next_userdata);

        connection->waiting = is_series(connection) && r > 0 && !parameters;
        if (r == 0)
                connection->next_fn = NULL;
        if (r < 0 || !parameters)
                return r;
        return reply(connection, parameters, NULL, connection->streaming || r > 0);
}

/* Sends the rest of one message, as far as the client has read. */
static int send_one(Connection *connection)
{
        const char *message;
        size_t size;
        ssize_t n;
        int r;

        if (!connection->output && !connection_is_behind(connection) && connection->next_fn &&
                !connection->waiting) {
                r = make_next(connection);
                if (r < 0)
                        return r;
        }
        if (connection->output) {
                message = connection->output;
                size = connection->output_size;
        } else if (!backlog_position_peek(&connection->position, &message, &size))
                return 0;
        n = send(connection->fd, message + connection->sent, size - connection->sent,
                MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        connection->progress = true;
        connection->sent += (size_t)n;
        if (connection->sent < size)
                return 0;
        connection->sent = 0;
        if (connection->output)
                free(TAKE(connection->output));
        else
                backlog_position_step(&connection->position);
        return 0;
}

/* Returns the size of the next call without its NUL, or -1 if it is not complete. */
static ssize_t find_call(const Connection *connection)
{
        const char *begin, *end;

        if (connection->input_size == 0)
                return -1;
        begin = connection->input + connection->input_begin;
        end = memchr(begin, '\0', connection->input_size);
        return end ? end - begin : -1;
}

/* A call waits until the answer to the one before it is sent. Calls after a streaming call are not
 * handled. */
static bool can_handle(const Connection *connection)
{
        return !connection->output && !connection->streaming && !is_pending(connection) &&
                find_call(connection) >= 0;
}

static void set_priority(Connection *connection, uint64_t now_usec)
{
        if (now_usec - connection->called_usec >= CONNECTION_PAUSE_USEC)
                connection->n_calls = 0;
        connection->called_usec = now_usec;
        if (connection->n_calls <= CONNECTION_CALLS_MAX)
                connection->n_calls++;
        (void)sd_event_source_set_priority(connection->io,
                connection->n_calls > CONNECTION_CALLS_MAX ? CONNECTION_BUSY_PRIORITY
                                                           : CONNECTION_PRIORITY);
}

static int handle(Connection *connection)
{
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;
        CLEANUP(freep) char *parameters = NULL;
        size_t size = (size_t)find_call(connection);
        const char *error = NULL;
        int r;

        connection->progress = true;
        set_priority(connection, clock_boottime_usec());
        r = varlink_call_parse(&call, connection->input + connection->input_begin, size);
        connection->input_begin += size + 1;
        connection->input_size -= size + 1;
        if (r == 0)
                r = connection->call_fn(
                        connection, &call, &parameters, &error, connection->userdata);
        connection->postponed = connection->postponed && !call.oneway;
        if (r < 0 || call.oneway || connection->streaming || is_pending(connection))
                return r;
        r = reply(connection, parameters, error, false);
        return r < 0 ? r : send_one(connection);
}

static int receive(Connection *connection)
{
        ssize_t n;

        if (connection->input_begin > 0) {
                memmove(connection->input, connection->input + connection->input_begin,
                        connection->input_size);
                connection->input_begin = 0;
        }
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
        connection->progress = n > 0;
        connection->finished = n == 0;
        connection->input_size += (size_t)n;
        return connection->input_size >= CONNECTION_MESSAGE_MAX && find_call(connection) < 0
                ? -EMSGSIZE
                : 0;
}

/* Runs while a call is expected from the client, or it has not read its answers. A subscriber that
 * has read everything may be silent, and whoever waits for an answer. */
static void watch_idle(Connection *connection)
{
        bool silent = (connection->streaming || is_pending(connection)) && !is_owed(connection);
        int enabled = SD_EVENT_OFF;

        (void)sd_event_source_get_enabled(connection->idle, &enabled);
        if (connection->progress || enabled == SD_EVENT_OFF)
                (void)sd_event_source_set_time_relative(connection->idle, CONNECTION_IDLE_USEC);
        (void)sd_event_source_set_enabled(
                connection->idle, silent ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
        connection->progress = false;
}

/* A socket that can take a message stands for the next turn, because sd-event prefers a deferred
 * source to the sockets of other clients, however often it runs: it counts as pending since it was
 * made. So a client that reads no answers is also not served. */
static void wait_for_more(Connection *connection)
{
        uint32_t events = connection->streaming ? EPOLLRDHUP : 0;

        if (is_owed(connection) || can_handle(connection))
                events |= EPOLLOUT;
        else if (!connection->streaming && !is_pending(connection))
                events |= EPOLLIN;
        (void)sd_event_source_set_io_events(connection->io, events);
        watch_idle(connection);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Connection *connection = userdata;
        bool left = (connection->streaming && (events & EPOLLRDHUP) != 0) ||
                ((connection->streaming || is_pending(connection)) && (events & EPOLLHUP) != 0);
        int r = left || (events & EPOLLERR) != 0 ? -EPIPE : 0;

        /* To a client that has shut down both sides, but not closed, no message can be sent, and
         * EPOLLHUP would come again at once. */
        if (r == 0 && (events & (EPOLLOUT | EPOLLHUP)) != 0)
                r = send_one(connection);
        if (r == 0 && !connection->streaming && (events & (EPOLLIN | EPOLLHUP)) != 0 &&
                !connection->output && !can_handle(connection))
                r = receive(connection);
        if (r == 0 && can_handle(connection))
                r = handle(connection);
        if (r < 0 || connection->overrun ||
                (connection->finished && !is_pending(connection) && !is_owed(connection) &&
                        !can_handle(connection)))
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

int connection_new(Connection **ret, sd_event *event, int fd, uid_t uid, const Backlog *backlog,
        connection_call_fn call_fn, connection_end_fn end_fn, void *userdata)
{
        CLEANUP(connection_freep) Connection *connection = calloc(1, sizeof(*connection));
        int r;

        if (!connection) {
                close(fd);
                return -ENOMEM;
        }
        *connection = (Connection){.fd = fd,
                .uid = uid,
                .backlog = backlog,
                .call_fn = call_fn,
                .end_fn = end_fn,
                .userdata = userdata};
        r = sd_event_add_io(event, &connection->io, fd, EPOLLIN, on_io, connection);
        if (r >= 0)
                r = sd_event_source_set_priority(connection->io, CONNECTION_PRIORITY);
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
        if (is_series(connection))
                connection->cancel_fn(connection->next_userdata);
        sd_event_source_disable_unref(connection->io);
        sd_event_source_disable_unref(connection->idle);
        backlog_position_done(&connection->position);
        close(connection->fd);
        free(connection->input);
        free(connection->output);
        free(connection);
        return NULL;
}

void connection_stream(Connection *connection, connection_next_fn next_fn, void *userdata)
{
        connection->streaming = true;
        connection->next_fn = next_fn;
        connection->next_userdata = userdata;
        backlog_position_begin(&connection->position, connection->backlog);
}

void connection_series(Connection *connection, connection_next_fn next_fn,
        connection_cancel_fn cancel_fn, void *userdata)
{
        connection->next_fn = next_fn;
        connection->cancel_fn = cancel_fn;
        connection->next_userdata = userdata;
}

void connection_wake(Connection *connection)
{
        connection->waiting = false;
        if (!connection->overrun)
                wait_for_more(connection);
}

bool connection_is_streaming(const Connection *connection)
{
        return connection->streaming;
}

bool connection_is_behind(const Connection *connection)
{
        return backlog_position_unread(&connection->position) > 0;
}

/* In another turn of the loop: the owner of the connection may be the caller. */
static void end_later(Connection *connection)
{
        connection->overrun = true;
        backlog_position_done(&connection->position);
        (void)sd_event_source_set_enabled(connection->io, SD_EVENT_OFF);
        (void)sd_event_source_set_time(connection->idle, 0);
        (void)sd_event_source_set_enabled(connection->idle, SD_EVENT_ONESHOT);
}

void connection_published(Connection *connection, bool lost)
{
        if (connection->overrun)
                return;
        if (!lost && backlog_position_unread(&connection->position) <= BACKLOG_MAX)
                wait_for_more(connection);
        else
                end_later(connection);
}

void connection_postpone(Connection *connection)
{
        connection->postponed = true;
}

bool connection_is_postponed(const Connection *connection)
{
        return connection->postponed;
}

void connection_answer(Connection *connection, int r, const char *parameters, const char *error)
{
        connection->postponed = false;
        connection->progress = true;
        if (r == 0)
                r = reply(connection, parameters, error, false);
        if (r < 0)
                end_later(connection);
        else
                wait_for_more(connection);
}

uid_t connection_peer_uid(const Connection *connection)
{
        return connection->uid;
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
