#pragma once

/*
 * Error message: prints to stderr what failed, between this command and the daemon or elsewhere,
 * and how to fix it. Functions that return int return the exit status (binlog-sslctl(1)).
 */

#include <stdbool.h>

#include "common/json-reader.h"
#include "common/macro.h"
#include "common/varlink.h"
#include "daemon/config/config.h"

#define EXIT_UNREACHABLE  3 /* "unknown" to monitoring plugins */
#define ERROR_MESSAGE_MAX 4096

/* Prints "binlog-sslctl: ", the message as clean text (common/text.h), and a line end. A terminal
 * wraps it (common/terminal.h), elsewhere it is one line. */
void error_message(const char *format, ...) PRINTF(1, 2);

/* The daemon cannot be reached or its answer cannot be read. `error` is a negative errno of
 * ctl/client/varlink-client.h, or -EBADMSG. */
int error_message_unreachable(const char *socket, int error);

/* The daemon returned an error for `method`. With `json` the reply goes to stdout as well. */
int error_message_reply(const VarlinkReply *reply, const char *method, bool json);

/* Write the same texts instead of printing them. */
void error_message_describe_unreachable(char *buffer, size_t size, const char *socket, int error);
void error_message_describe_reply(
        char *buffer, size_t size, const VarlinkReply *reply, const char *method);

/* "FILE:LINE: TEXT" of a configuration that is refused. */
void error_message_describe_problem(
        char buffer[static CONFIG_PROBLEM_SIZE], const JsonValue *problem);
