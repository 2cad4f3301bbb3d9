#pragma once

/*
 * Complaint: what went wrong between this command and the daemon, and what to do, on stderr; each
 * returns the exit status that goes with it.
 */

#include <stdbool.h>

#include "common/macro.h"
#include "common/varlink.h"

#define EXIT_UNREACHABLE 3 /* "unknown" to monitoring plugins */

/* "binlog-sslctl: ..." and a line end. */
void error_message(const char *format, ...) PRINTF(1, 2);

/* `error` is what ctl/client/varlink-client.h or reading the answer gave. */
int error_message_unreachable(const char *socket, int error);

/* The daemon answered `method` with an error. With `json` the reply goes to stdout as well. */
int error_message_reply(const VarlinkReply *reply, const char *method, bool json);
