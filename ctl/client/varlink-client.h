#pragma once

/*
 * Client: a Varlink connection to the daemon, from a program that may block. It stays open for as
 * many replies as the daemon sends; every wait has an end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "common/varlink.h"

#define VARLINK_CLIENT_TIMEOUT_USEC (10 * UINT64_C(1000000)) /* for what a daemon answers at once */

typedef struct VarlinkClient VarlinkClient;

/* Connects. What connect(2) says; -ETIMEDOUT: the daemon takes no connections. */
int varlink_client_new(VarlinkClient **ret, const char *path);
VarlinkClient *varlink_client_free(VarlinkClient *client);
DEFINE_CLEANUP(VarlinkClient *, varlink_client_free);

int varlink_client_send(
        VarlinkClient *client, const char *method, const char *parameters, bool more);

/* The next reply. `deadline_usec` is boot time; -ETIMEDOUT: nothing whole came by then, and the
 * connection may be used further. -ECONNRESET: the daemon is gone, be it in mid-reply. -EBADMSG:
 * this is no Varlink reply. */
int varlink_client_receive(VarlinkClient *client, VarlinkReply *ret, uint64_t deadline_usec);

/* One call with one reply on a connection of its own. */
int varlink_client_call(
        VarlinkReply *ret, const char *path, const char *method, const char *parameters);
