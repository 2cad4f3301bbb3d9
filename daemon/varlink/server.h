#pragma once

/*
 * Server: the Varlink socket, its clients, and what every Varlink service answers; the methods of
 * our own interface are the handler's.
 *
 * At most SERVER_CLIENTS_MAX at a time; whoever comes when it is full is turned away at once.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/varlink/connection.h"

#define SERVER_CLIENTS_MAX 64

/* Hangs up on whoever waits on the socket that systemd handed over, if it did. For a daemon that
 * cannot start: systemd would start it again at once for the same client. */
void server_refuse(void);

typedef struct Server Server;

/* Listens on `path`: the socket that systemd handed over, if it did, or a new one with mode 0666;
 * anyone may read the status. A socket that nobody listens on is replaced. -EADDRINUSE: somebody
 * does, or may do. -EEXIST: something else stands there. `fn` gets the calls of our interface. */
int server_new(Server **ret, sd_event *event, const char *path, const char *version,
        connection_call_fn fn, void *userdata);
/* A socket that systemd owns is not unlinked. */
Server *server_free(Server *server);
DEFINE_CLEANUP(Server *, server_free);

/* One more answer to every call that streams. */
void server_publish(Server *server, const char *parameters);

/* Somebody would get it. */
bool server_has_subscribers(const Server *server);
