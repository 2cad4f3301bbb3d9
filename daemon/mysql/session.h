#pragma once

/*
 * Session: one verified TLS connection to a server; the only module that sees libmariadb.
 *
 * A session that was opened is encrypted with TLS 1.2 or 1.3, its peer was verified with host
 * name, and the login was made by a plugin that is allowed. All that, the cleartext plugin included,
 * comes after TLS and the verification: before them nothing but the wish for TLS is sent.
 *
 * libmariadb takes a plugin for allowed when its name is a part of the text of the list, "native"
 * for instance, and loads it before it asks. So it loads from one directory, which the build knows
 * and nothing else can change, and a name with a slash or a dot in it is never looked for. A server
 * whose own default is not allowed would be refused at its greeting, though the user's plugin may
 * be another; unless both usual ones are allowed, the first of the list is named as our default.
 *
 * MYSQL_OPT_SSL_ENFORCE does not enforce (notes/aurora.md, 6): what does is
 * MYSQL_OPT_SSL_VERIFY_SERVER_CERT, and the cipher is asked for before anything else is sent.
 *
 * Blocking, so it is used in short-lived children only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "common/secret.h"
#include "daemon/model/outcome.h"

typedef struct Session Session;

typedef enum SessionResult {
        SESSION_OK,
        SESSION_UNREACHABLE,
        SESSION_TLS,
        SESSION_AUTH,
        SESSION_TIMED_OUT,
        SESSION_LOST,   /* the connection broke while it was used */
        SESSION_SERVER, /* the server answered with an error; number and state are its own */
        _SESSION_RESULT_MAX,
} SessionResult;

typedef struct SessionError {
        unsigned number;
        char state[6];
        char text[384]; /* one clean line; never holds what was bound to a statement */
} SessionError;

typedef struct SessionTarget {
        const char *host;
        unsigned port;
        const char *user;
        const char *
                server_ca; /* a file, or a directory of openssl-rehash(1); "": the system's store */
        const char *plugins;    /* the ways of authentication that are allowed, commas between */
        uint64_t deadline_usec; /* boot time: then the session ends, whatever it is at */
} SessionTarget;

/* Removes what libmariadb reads from the environment, a password and a plugin directory among it
 * (notes/aurora.md, 6). For the first line of main(). */
void session_scrub_environment(void);

#define SESSION_CONNECT_SEC 10

/* For a process whose children will open sessions, before the first fork: what every one of them
 * would do anew (openssl.cnf, /etc/services, the algorithms of libssl) is done once. It connects to
 * nothing and resolves no host name; what fails here fails again in session_open(), which tells.
 * OpenSSL notices a fork and seeds the child's random numbers anew (RAND_DRBG(7), "Fork-safety"). */
void session_prepare(void);

/* Connecting and the login are bounded step by step, each by the time that was left at the
 * beginning; what follows ends at the deadline to the moment. One session at a time in a process. */
SessionResult session_open(Session **ret, const SessionTarget *target, const Secret *password,
        SessionError *ret_error);
Session *session_free(Session *session);
DEFINE_CLEANUP(Session *, session_free);

/* What is known of the server. Connector/C 3.3 cannot show the certificate that it has verified; see
 * daemon/tls/tls-probe.h. */
void session_describe(const Session *session, ServerInfo *ret);

/* Called for each row: names and values of the columns; a value may be NULL. */
typedef void (*session_row_fn)(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values);

/* A constant statement; every result is read to its end. `fn` may be NULL. */
SessionResult session_query(Session *session, const char *statement, session_row_fn fn,
        void *userdata, SessionError *ret_error);

/* The AUTO_INCREMENT value of the last statement, 0 when it made none. */
uint64_t session_insert_id(const Session *session);

/* A statement with one `?`, to which `payload` is bound. `ret_sent` tells whether the payload may
 * have left: then SESSION_LOST means that nobody knows what came of it. */
SessionResult session_call(Session *session, const char *statement, const Secret *payload,
        bool *ret_sent, SessionError *ret_error);
