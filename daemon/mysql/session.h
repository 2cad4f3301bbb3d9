#pragma once

/*
 * Session: opens a verified TLS connection to a server and executes statements; the only module
 * that includes libmariadb.
 *
 * An open session is encrypted with TLS 1.2 or 1.3, its peer is verified
 * (daemon/tls/peer-verify.h) unless SessionTarget.any_peer allows another, and the login used an
 * allowed plugin. The login, by the cleartext
 * plugin too, follows TLS and verification; before them only the TLS request is sent.
 * MYSQL_OPT_SSL_ENFORCE does not enforce TLS (doc/aurora.md, "Connector/C"):
 * MYSQL_OPT_SSL_VERIFY_SERVER_CERT does, and cipher and version are checked before the first
 * statement. A version of Connector/C other than 3.3 and 3.4, or one with another TLS library than
 * OpenSSL, connects to nothing: SESSION_TLS.
 *
 * libmariadb allows a plugin whose name is a part of the list's text, "native" for instance, and
 * loads it before it checks. So it loads from one directory only, which the build sets, and never
 * looks up a name with a slash or a dot. A server whose own default plugin is not allowed would be
 * refused at its greeting, even if the user's plugin is another; unless both usual plugins are
 * allowed, the first of the list is therefore set as the client's default.
 *
 * Blocks: for short-lived children only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "common/secret.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session-error.h"
#include "daemon/tls/server-certificate.h"

typedef struct Session Session;

/* Files of a client certificate with its chain, and of its key, as PEM. */
typedef struct SessionIdentity {
        const char *certificate, *key;
} SessionIdentity;

typedef struct SessionTarget {
        const char *host;
        unsigned port;
        const char *user;
        const char
                *server_ca; /* a file or an openssl-rehash(1) directory; "": the system's store */
        const char *store;  /* its name in sentences; NULL: server-ca, or the system's store */
        const SessionIdentity *identity; /* NULL: no client certificate */
        bool any_peer;       /* the peer is not required to be verified; no password is sent then */
        const char *plugins; /* allowed authentication plugins, separated by commas */
        uint64_t deadline_usec; /* CLOCK_BOOTTIME; the session ends then */
} SessionTarget;

/* Removes the environment variables that libmariadb reads, such as a password and a plugin
 * directory (doc/aurora.md, "Connector/C"). Called first in main(). */
void session_scrub_environment(void);

#define SESSION_CONNECT_SEC 10

/* Initialises the libraries once before the first fork (daemon/tls/tls-library.h; /etc/services),
 * so no child that opens a session repeats it. Connects to nothing and resolves no host name.
 * -ENOMEM: the process must end. */
int session_prepare(void);

/* `ret_certificate` is what the server showed, also on failure; its reason is then the error's
 * text. A password is never sent with `any_peer`.
 *
 * Each step of connecting and login may take the time that was left at the start, in whole seconds,
 * which is all that libmariadb knows. After the login the session ends when that time is over: at
 * most a second before the deadline. One session at a time in a process. */
SessionResult session_open(Session **ret, const SessionTarget *target, const Secret *password,
        ServerCertificate *ret_certificate, SessionError *ret_error);
Session *session_free(Session *session);
DEFINE_CLEANUP(Session *, session_free);

void session_describe(const Session *session, ServerInfo *ret);

/* Called for each row with the names and values of the columns; a value may be NULL. */
typedef void (*session_row_fn)(
        void *userdata, unsigned n_columns, const char *const *names, const char *const *values);

/* Reads every result to its end. `fn` may be NULL. `statement` may be several, separated by
 * semicolons; an error ends the last one of them that was executed. */
SessionResult session_query(Session *session, const char *statement, session_row_fn fn,
        void *userdata, SessionError *ret_error);

/* Returns true if the last statement has left a transaction open. */
bool session_in_transaction(const Session *session);

/* Returns the AUTO_INCREMENT value of the last statement, 0 if it created none. */
uint64_t session_insert_id(const Session *session);

/* Binds `payload` to the one `?` of the statement. `ret_sent` is true if the payload may have left
 * the host: the result is then unknown after SESSION_LOST or SESSION_TIMED_OUT. */
SessionResult session_call(Session *session, const char *text, const Secret *payload,
        bool *ret_sent, SessionError *ret_error);
