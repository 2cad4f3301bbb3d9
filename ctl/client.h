#pragma once

/*
 * Client: a Varlink connection to the daemon, from a program that may block. It stays open for as
 * many replies as the daemon sends; every wait has an end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "common/varlink.h"

#define CLIENT_TIMEOUT_USEC (10 * UINT64_C(1000000)) /* for what a daemon answers at once */

typedef struct Client Client;

/* The socket below $RUNTIME_DIRECTORY or /run. -ENAMETOOLONG. */
int client_default_path(char *buffer, size_t size);

/* Connects. What connect(2) says; -ETIMEDOUT: the daemon takes no connections. */
int client_new(Client **ret, const char *path);
Client *client_free(Client *client);
DEFINE_CLEANUP(Client *, client_free);

int client_send(Client *client, const char *method, const char *parameters, bool more);

/* The next reply. `deadline_usec` is boot time; -ETIMEDOUT: nothing whole came by then, and the
 * connection may be used further. -ECONNRESET: the daemon is gone, be it in mid-reply. -EBADMSG:
 * this is no Varlink reply. */
int client_receive(Client *client, VarlinkReply *ret, uint64_t deadline_usec);

/* One call with one reply on a connection of its own. */
int client_call(VarlinkReply *ret, const char *path, const char *method, const char *parameters);
