#pragma once

/*
 * Connection: frames the messages of one Varlink client, enforces its limits and answers its
 * calls in order. The handler gives the calls their meaning.
 *
 * A client cannot block the loop. A message has at most CONNECTION_MESSAGE_MAX bytes, one answer
 * is pending at a time (the next call is read when it is sent), and CONNECTION_IDLE_USEC without
 * a byte in either direction ends the connection. A client with a streaming call may be silent
 * for any time, but if it leaves more than CONNECTION_BACKLOG_MAX bytes unread the next
 * publication drops it; the publications of the handler itself count as one answer of any length.
 */

#include <sys/types.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "common/varlink.h"

#define CONNECTION_MESSAGE_MAX (64 * 1024)
#define CONNECTION_BACKLOG_MAX (1024 * 1024)
#define CONNECTION_IDLE_USEC   (60 * UINT64_C(1000000))

typedef struct Connection Connection;

/* Answers a call. Returns 0 with a JSON object in `ret_parameters` (heap; NULL is {}), and for an
 * error its full name, static, in `ret_error`; or a negative errno, which ends the connection.
 * After connection_stream() the two results are ignored. */
typedef int (*connection_call_fn)(Connection *connection, const VarlinkCall *call,
        char **ret_parameters, const char **ret_error, void *userdata);

/* The connection has ended; the owner frees it in this call. */
typedef void (*connection_end_fn)(Connection *connection, void *userdata);

/* Owns `fd`, also on failure. */
int connection_new(Connection **ret, sd_event *event, int fd, connection_call_fn call_fn,
        connection_end_fn end_fn, void *userdata);
Connection *connection_free(Connection *connection);
DEFINE_CLEANUP(Connection *, connection_free);

/* For a handler whose call has `more`: from now on connection_publish() answers the call. */
void connection_stream(Connection *connection);

/* Sends one more answer to the streaming call, with `continues`; does nothing if no call streams.
 * -ENOBUFS: the client reads too slowly. After any error the caller frees the connection. */
int connection_publish(Connection *connection, const char *parameters);

bool connection_is_streaming(const Connection *connection);

/* The credentials of the client, as the kernel recorded them at connect(2): SO_PEERCRED (unix(7))
 * and SO_PEERGROUPS. */
int connection_peer_uid(const Connection *connection, uid_t *ret);
bool connection_peer_is_member(const Connection *connection, gid_t group);
