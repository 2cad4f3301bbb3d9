#pragma once

/*
 * Server: the Varlink socket and its clients. It frames, limits and answers what every Varlink
 * service answers; the methods of our own interface are the handler's.
 *
 * A client can do nothing to the loop: at most SERVER_CLIENTS_MAX of them, SERVER_MESSAGE_MAX bytes
 * in a message, one answer in the making per client (the next call is read when it is out), and
 * SERVER_IDLE_USEC without a byte in either direction ends the connection.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "common/varlink.h"

#define SERVER_CLIENTS_MAX 64
#define SERVER_MESSAGE_MAX (64 * 1024)
#define SERVER_IDLE_USEC   (60 * UINT64_C(1000000))

typedef struct Server Server;

/* Answers a call of our interface: 0 with a JSON object in `ret_parameters` (heap), and for an
 * error its full name, static, in `ret_error`; a negative errno ends the connection. */
typedef int (*server_call_fn)(
        const VarlinkCall *call, char **ret_parameters, const char **ret_error, void *userdata);

/* Listens on `path`: the socket that systemd handed over, if it did, or a new one with mode 0666;
 * anyone may read the status. A socket file that nobody listens on is replaced. -EADDRINUSE:
 * somebody does. */
int server_new(Server **ret, sd_event *event, const char *path, const char *version,
        server_call_fn fn, void *userdata);
Server *server_free(Server *server);
DEFINE_CLEANUP(Server *, server_free);

/* The file name of the socket below $RUNTIME_DIRECTORY. */
#define SERVER_SOCKET_NAME "io.binlogssl.Manager"

/* {"name": "value"}: the parameters of most errors. */
int server_format_pair(char **ret, const char *name, const char *value);
