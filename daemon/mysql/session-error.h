#pragma once

/*
 * Session error: the meaning of an error that libmariadb reports, by number and text.
 *
 * Pure. Numbers are those of MySQL's server and client error references and of libmariadb's
 * errmsg.h.
 */

#include <stdbool.h>

#include "daemon/tls/server-certificate.h"

#define SESSION_ERROR_PLUGIN_NOT_LOADED  2059
#define SESSION_ERROR_PLUGIN_NOT_ALLOWED 5010

typedef enum SessionResult {
        SESSION_OK,
        SESSION_UNREACHABLE,
        SESSION_TLS,
        SESSION_AUTH,
        SESSION_TIMED_OUT,
        SESSION_LOST,   /* the connection broke after it was opened */
        SESSION_SERVER, /* the server answered with an error */
        _SESSION_RESULT_MAX,
} SessionResult;

typedef struct SessionError {
        unsigned number;
        unsigned alert; /* the TLS alert that the server sent (peer_verify_alert()); 0: none */
        char text[384]; /* one clean line; never the payload bound to a statement */
} SessionError;

/* Returns true if a received value is one. */
bool session_error_is_valid(const SessionError *error);

void session_error_set(SessionError *ret, unsigned number, const char *text);

/* Returns true if the error is libmariadb's own and no server's. */
bool session_error_is_of_library(unsigned number);

/* An error of connecting or login. `plugins` are those that were allowed; `peer_reason` says why
 * the server's certificate was refused and is then the text of a TLS error, "": it was not. */
SessionResult session_error_connect(SessionError *ret, unsigned number, const char *text,
        const char *plugins, const char *peer_reason);

/* An error after the login. `deadline_expired`: the socket was shut down (socket-deadline.h). */
SessionResult session_error_use(
        SessionError *ret, unsigned number, const char *text, bool deadline_expired);
