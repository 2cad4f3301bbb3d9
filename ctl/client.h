#pragma once

/*
 * Client: one Varlink call to the daemon, from a program that may block.
 */

#include "common/varlink.h"

/* The socket's path: `path`, or the one below $RUNTIME_DIRECTORY or /run. */
int client_call(VarlinkReply *ret, const char *path, const char *method, const char *parameters);
