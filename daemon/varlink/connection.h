#pragma once

/*
 * Connection: frames the messages of one Varlink client, enforces its limits and answers its
 * calls in order. The handler gives the calls their meaning.
 *
 * A client cannot block the loop. One turn of the loop handles one call of a client or sends one
 * message to it, with CONNECTION_PRIORITY, so that all clients and the scheduler take turns however
 * much a client has sent. A message has at most CONNECTION_MESSAGE_MAX bytes. One answer is pending
 * at a time: the next call is handled when it is sent, and no more is read from the client while
 * calls wait. CONNECTION_IDLE_USEC without a byte in either direction ends the connection; a client
 * with a streaming call may be silent for any time, but not leave a message unread for that time.
 *
 * A stream is made of two parts, always in the order of the events: publications of the backlog
 * (daemon/varlink/backlog.h), and answers that a connection_next_fn makes one by one, each when
 * everything before it is sent. So a stream owns one message, however long its beginning is. A
 * client that is BACKLOG_MAX behind is disconnected.
 *
 * A series has only such answers, which take time to come, and an end.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "common/varlink.h"
#include "daemon/varlink/backlog.h"

#define CONNECTION_MESSAGE_MAX (64 * 1024)
#define CONNECTION_IDLE_USEC   (60 * UINT64_C(1000000))

/* After the events of processes and files. Equal to that of the scheduler: sources of equal
 * priority take turns, so neither waits for all of the other. A client that has made more than
 * CONNECTION_CALLS_MAX calls, none of them CONNECTION_PAUSE_USEC after the one before, has the next
 * turn when no other client wants one. */
#define CONNECTION_PRIORITY      (SD_EVENT_PRIORITY_NORMAL + 10)
#define CONNECTION_BUSY_PRIORITY (CONNECTION_PRIORITY + 1)
#define CONNECTION_CALLS_MAX     16
#define CONNECTION_PAUSE_USEC    UINT64_C(1000000)

typedef struct Connection Connection;

/* Answers a call. Returns 0 with a JSON object in `ret_parameters` (heap; NULL is {}), and for an
 * error its full name, static, in `ret_error`; or a negative errno, which ends the connection.
 * After connection_stream() the two results are ignored. */
typedef int (*connection_call_fn)(Connection *connection, const VarlinkCall *call,
        char **ret_parameters, const char **ret_error, void *userdata);

/* The connection has ended; the owner frees it in this call. */
typedef void (*connection_end_fn)(Connection *connection, void *userdata);

/* What a connection_next_fn keeps between its calls, 0 at the first one. */
typedef struct ConnectionCursor {
        uint64_t generation;
        size_t index;
} ConnectionCursor;

/* Makes the next answer of a stream or series, a JSON object on the heap. Returns 1, 0 if it was
 * the last, or a negative errno, which ends the connection. In a stream it returns 1 and leaves
 * NULL to be called again after the publications that it has caused. */
typedef int (*connection_next_fn)(
        Connection *connection, ConnectionCursor *cursor, char **ret_parameters, void *userdata);

/* Owns `fd`, also on failure, of a client with that user id; (uid_t)-1: it is not known. `backlog`
 * must outlive the connection. */
int connection_new(Connection **ret, sd_event *event, int fd, uid_t uid, const Backlog *backlog,
        connection_call_fn call_fn, connection_end_fn end_fn, void *userdata);
Connection *connection_free(Connection *connection);
DEFINE_CLEANUP(Connection *, connection_free);

/* For a handler whose call has `more`: from now on the answers of `next_fn` and the publications
 * that are yet to come answer the call. */
void connection_stream(Connection *connection, connection_next_fn next_fn, void *userdata);
bool connection_is_streaming(const Connection *connection);

/* For a handler whose call has `more`: the answers of `next_fn` answer the call. It returns 1 and
 * leaves NULL while none is there, and is called again after connection_wake(). Meanwhile the next
 * calls of the client wait, and silence does not end the connection. If that ends before the last
 * answer is made, it calls `cancel_fn`. */
typedef void (*connection_cancel_fn)(void *userdata);
void connection_series(Connection *connection, connection_next_fn next_fn,
        connection_cancel_fn cancel_fn, void *userdata);
void connection_wake(Connection *connection);

/* For a handler: connection_answer() answers the call, at any time after the handler has returned.
 * Until then the next calls of the client wait, and silence does not end the connection. */
void connection_postpone(Connection *connection);
bool connection_is_postponed(const Connection *connection);

/* Answers that call; the results are those of a connection_call_fn. The connection sends, or ends,
 * in a later turn of the loop. */
void connection_answer(Connection *connection, int r, const char *parameters, const char *error);

/* Returns true if a publication is not sent yet. */
bool connection_is_behind(const Connection *connection);

/* The backlog of a streaming connection has a new publication, or with `lost` lacks one, which ends
 * the connection. The connection sends, or ends, in a later turn of the loop. */
void connection_published(Connection *connection, bool lost);

/* The credentials of the client, as the kernel recorded them at connect(2): SO_PEERCRED (unix(7))
 * and SO_PEERGROUPS. */
uid_t connection_peer_uid(const Connection *connection);
bool connection_peer_is_member(const Connection *connection, gid_t group);
