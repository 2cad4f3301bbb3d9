#pragma once

/*
 * Varlink client: a blocking connection to the socket of the daemon, for methods of
 * io.binlogssl.Manager, which are named without their interface here.
 *
 * A connection stays open for as many replies as the daemon sends. Every wait has a deadline, and a
 * reply of more than 64 MiB is refused.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "common/varlink.h"

#define VARLINK_CLIENT_TIMEOUT_USEC (10 * UINT64_C(1000000)) /* of a method that does not wait */

typedef struct VarlinkClient VarlinkClient;

/* Connects. Returns an error of connect(2); -ETIMEDOUT: the daemon accepts no connection;
 * -ENAMETOOLONG: `path` does not fit into a socket address; -ESHUTDOWN: a person has stopped the
 * service, which a connection would start (ctl/client/unit-state.h). */
int varlink_client_new(VarlinkClient **ret, const char *path);
VarlinkClient *varlink_client_free(VarlinkClient *client);
DEFINE_CLEANUP(VarlinkClient *, varlink_client_free);

/* `parameters` is a JSON document, or NULL for {}. */
int varlink_client_send(
        VarlinkClient *client, const char *method, const char *parameters, bool more);

/* Receives the next reply. `deadline_usec` is boot time. -ETIMEDOUT: no complete reply arrived in
 * time; the connection remains usable. -ECONNRESET: the daemon closed the connection, possibly
 * within a reply. -EBADMSG: not a Varlink reply. -ENOMEM: also for a reply that is too large. */
int varlink_client_receive(VarlinkClient *client, VarlinkReply *ret, uint64_t deadline_usec);

/* Calls a method on a connection of its own. Returns an error of the functions above; 0 also for an
 * error reply of the daemon. */
int varlink_client_request(
        VarlinkReply *ret, const char *path, const char *method, const char *parameters);

/* The same for people. Returns EXIT_SUCCESS, or the exit status after an
 * error message; with `json` an error reply of the daemon goes to stdout as well. */
int varlink_client_call(
        VarlinkReply *ret, const char *path, const char *method, const char *parameters, bool json);
