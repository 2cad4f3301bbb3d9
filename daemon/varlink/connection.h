#pragma once

/*
 * Connection: one Varlink client. It frames, limits and keeps the order; what a call means is the
 * handler's affair.
 *
 * A client can do nothing to the loop: CONNECTION_MESSAGE_MAX bytes in a message, one answer in the
 * making (the next call is read when it is out), CONNECTION_IDLE_USEC without a byte in either
 * direction ends it. A client whose call is answered by a stream may be silent for ever, but one
 * that leaves more than CONNECTION_BACKLOG_MAX bytes unread is dropped at the next news; what the
 * handler itself publishes at the beginning is one answer, however long.
 */

#include <sys/types.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "common/varlink.h"

#define CONNECTION_MESSAGE_MAX (64 * 1024)
#define CONNECTION_BACKLOG_MAX (1024 * 1024)
#define CONNECTION_IDLE_USEC   (60 * UINT64_C(1000000))

typedef struct Connection Connection;

/* Answers a call: 0 with a JSON object in `ret_parameters` (heap; NULL is {}), and for an error its
 * full name, static, in `ret_error`. Negative: the connection is of no use any more. What it
 * returns is not looked at when it called connection_stream(). */
typedef int (*connection_call_fn)(Connection *connection, const VarlinkCall *call,
        char **ret_parameters, const char **ret_error, void *userdata);

/* It came to its end; the owner frees it now. */
typedef void (*connection_end_fn)(Connection *connection, void *userdata);

/* Takes over `fd`, also when it fails. */
int connection_new(Connection **ret, sd_event *event, int fd, connection_call_fn call_fn,
        connection_end_fn end_fn, void *userdata);
Connection *connection_free(Connection *connection);
DEFINE_CLEANUP(Connection *, connection_free);

/* From a handler, for a call that has `more`: it is answered by connection_publish() from now on. */
void connection_stream(Connection *connection);

/* One more answer to the call that streams, with `continues`. -ENOBUFS: it reads too slowly and is
 * of no use any more; so for every other error. Nothing when no call streams. */
int connection_publish(Connection *connection, const char *parameters);

bool connection_is_streaming(const Connection *connection);

/* Who connected, as the kernel saw it then (SO_PEERCRED, SO_PEERGROUPS in unix(7)). */
int connection_peer_uid(const Connection *connection, uid_t *ret);
bool connection_peer_is_member(const Connection *connection, gid_t group);
