#pragma once

/*
 * Server: listens on the Varlink socket and owns the connections of its clients.
 *
 * Calls of io.binlogssl.Manager go to a handler, all others to varlink/service. At most
 * SERVER_CLIENTS_MAX clients are connected; a further one is told so and disconnected. Some places
 * are kept for root and the service's own user, and another user has a limit of its own: one that
 * keeps connections open locks out neither an administrator nor all others. One turn of the loop
 * accepts one client, with the priority of the connections.
 */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/varlink/connection.h"

#define SERVER_CLIENTS_MAX         64
#define SERVER_CLIENTS_RESERVED    8
#define SERVER_CLIENTS_OF_USER_MAX 16

/* Answers the clients that wait on a socket of systemd, if there is one, with NotStarted, and
 * disconnects them. A daemon that cannot start calls it: systemd would start the daemon again at
 * once for the same client. `reason` is displayable text. */
void server_refuse(const char *reason);

typedef struct Server Server;

/* Listens on `path`: on the socket that systemd passed (sd_listen_fds(3)), or on a new one with
 * mode 0666, because anyone may read the status. `fn` gets the calls of io.binlogssl.Manager;
 * `version` must outlive the server. A socket without a listener is replaced. -EADDRINUSE: it has
 * a listener, or that is unknown. -EEXIST: the file is no socket. Clients can connect at once; the
 * first are answered after server_accept(), or after `hold_usec`. */
int server_new(Server **ret, sd_event *event, const char *path, const char *version,
        uint64_t hold_usec, connection_call_fn fn, void *userdata);

/* Returns true while the first clients are held. */
bool server_is_held(const Server *server);

/* Ends the hold of the first clients, if it lasts. */
void server_accept(Server *server);

/* Removes the socket's file, except for a socket of systemd. */
Server *server_free(Server *server);
DEFINE_CLEANUP(Server *, server_free);

/* Sends one more answer to each streaming call, in later turns of the loop. Without memory each of
 * these clients is disconnected, because its stream would lack one. */
void server_publish(Server *server, const char *parameters);

/* Answers each call that was postponed (connection_postpone()). */
void server_answer(Server *server, int r, const char *parameters, const char *error);

/* Returns true if a call streams. */
bool server_has_subscribers(const Server *server);
