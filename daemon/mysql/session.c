#include "daemon/mysql/session.h"

#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <errmsg.h>
#include <mysql.h>
#include <openssl/ssl.h>

#include "build.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "daemon/mysql/socket-deadline.h"
#include "daemon/tls/peer-verify.h"
#include "daemon/tls/tls-library.h"

#define SESSION_COLUMNS_MAX 128
#define CONNECT_REASON_USEC (2 * USEC_PER_SEC)

struct Session {
        MYSQL *mysql;
        char tls_version[16];
};

static SessionResult use_error(Session *session, SessionError *ret)
{
        return session_error_use(ret, mysql_errno(session->mysql), mysql_error(session->mysql),
                socket_deadline_expired());
}

/* Returns at least 1: libmariadb waits without limit for 0. */
static unsigned seconds_until(uint64_t deadline_usec)
{
        unsigned left_sec = (unsigned)(clock_left_usec(deadline_usec) / USEC_PER_SEC);

        return left_sec > 0 ? left_sec : 1;
}

/* For each connection, every CA of a file is read, and of a directory only the one needed. */
static void set_trust(MYSQL *mysql, const char *server_ca)
{
        if (server_ca[0] == '\0')
                return; /* the system's store */
        if (file_is_directory(server_ca))
                (void)mysql_options(mysql, MYSQL_OPT_SSL_CAPATH, server_ca);
        else
                (void)mysql_options(mysql, MYSQL_OPT_SSL_CA, server_ca);
}

static const char *store_of(const SessionTarget *target)
{
        if (target->store)
                return target->store;
        return target->server_ca[0] != '\0' ? "server-ca" : SERVER_CERTIFICATE_TRUST_STORE;
}

static void set_identity(MYSQL *mysql, const SessionIdentity *identity)
{
        if (!identity)
                return;
        (void)mysql_options(mysql, MYSQL_OPT_SSL_CERT, identity->certificate);
        (void)mysql_options(mysql, MYSQL_OPT_SSL_KEY, identity->key);
}

static void set_plugins(MYSQL *mysql, const char *plugins)
{
        char first[64];

        (void)mysql_options(mysql, MYSQL_PLUGIN_DIR, BUILD_MARIADB_PLUGIN_DIR);
        (void)mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, plugins);
        if (strstr(plugins, "mysql_native_password") && strstr(plugins, "caching_sha2_password"))
                return;
        text_copy(first, sizeof(first), plugins, strcspn(plugins, ","));
        (void)mysql_options(mysql, MYSQL_DEFAULT_AUTH, first);
}

static void set_options(MYSQL *mysql, const SessionTarget *target, unsigned left_sec)
{
        unsigned connect_sec = left_sec < SESSION_CONNECT_SEC ? left_sec : SESSION_CONNECT_SEC;
        unsigned protocol =
                MYSQL_PROTOCOL_TCP; /* "localhost" would be a UNIX socket, without TLS */
        unsigned no_infile = 0;
        my_bool yes = 1, no = 0;

        (void)mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
        (void)mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_sec);
        (void)mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &left_sec);
        (void)mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &left_sec);
        (void)mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
        (void)mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_infile);
        (void)mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
        (void)mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
        (void)mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, target->any_peer ? &no : &yes);
        set_trust(mysql, target->server_ca);
        set_identity(mysql, target->identity);
        (void)mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
        set_plugins(mysql, target->plugins);
        (void)mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "binlog-ssld");
}

/* Checks the effect of the TLS options before the first statement. */
static bool is_encrypted(Session *session)
{
        const char *version = NULL;

        if (!mysql_get_ssl_cipher(session->mysql) ||
                mariadb_get_infov(session->mysql, MARIADB_CONNECTION_TLS_VERSION, &version) != 0 ||
                !version)
                return false;
        text_set(session->tls_version, sizeof(session->tls_version), version);
        return strcmp(version, "TLSv1.2") == 0 || strcmp(version, "TLSv1.3") == 0;
}

void session_scrub_environment(void)
{
        static const char *const prefixes[] = {"MYSQL_", "MARIADB_", "LIBMYSQL_"};
        char **entry = environ;

        while (entry && *entry) {
                char name[128];
                size_t length = strcspn(*entry, "=");
                bool matches = false;

                for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                        matches = matches || strncmp(*entry, prefixes[i], strlen(prefixes[i])) == 0;
                snprintf(name, sizeof(name), "%.*s", (int)length, *entry);
                /* unsetenv() moves the next entry to this place. */
                if (!matches || length >= sizeof(name) || unsetenv(name) < 0)
                        entry++;
        }
}

/* The verification of peers is proven with these versions, and it replaces that of OpenSSL only. */
static bool library_is_known(void)
{
        static const char *const known[] = {"3.3.", "3.4.", NULL};
        const char *tls = NULL;
        bool is_known = false;

        for (size_t i = 0; known[i]; i++)
                is_known = is_known || strncmp(mysql_get_client_info(), known[i], 4) == 0;
        return is_known && mariadb_get_infov(NULL, MARIADB_TLS_LIBRARY, &tls) == 0 && tls &&
                strncmp(tls, "OpenSSL", strlen("OpenSSL")) == 0;
}

int session_prepare(void)
{
        int r = tls_library_prepare();

        if (r == 0 && mysql_library_init(0, NULL, NULL) != 0)
                r = -ENOMEM;
        return r == 0 ? tls_library_error() : r;
}

/* libmariadb 3.3 and 3.4 do not say why connect(2) failed: the error is EINPROGRESS (115), its
 * first result. So it is asked once more: "Connection refused", "No route to host". Adds nothing if
 * the server answers now, or not in time. */
static void add_connect_reason(SessionError *error, const SessionTarget *target)
{
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses = NULL;
        uint64_t left_usec = clock_left_usec(target->deadline_usec);
        uint64_t end_usec = clock_boottime_usec() +
                (left_usec < CONNECT_REASON_USEC ? left_usec : CONNECT_REASON_USEC);
        char port[16];

        snprintf(port, sizeof(port), "%u", target->port);
        if (getaddrinfo(target->host, port, &hints, &addresses) != 0)
                return;
        for (struct addrinfo *address = addresses; address; address = address->ai_next) {
                int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                struct pollfd wait = {.fd = fd, .events = POLLOUT};
                int reason = 0;

                if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) < 0)
                        reason = errno;
                if (reason == EINPROGRESS &&
                        (poll(&wait, 1, clock_poll_timeout(end_usec)) != 1 ||
                                getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason,
                                        &(socklen_t){sizeof(reason)}) < 0))
                        reason = 0;
                if (fd >= 0)
                        (void)close(fd);
                if (reason == 0)
                        continue;
                text_append(error->text, sizeof(error->text), ": %s", strerror(reason));
                break;
        }
        freeaddrinfo(addresses);
}

SessionResult session_open(Session **ret, const SessionTarget *target, const Secret *password,
        ServerCertificate *ret_certificate, SessionError *ret_error)
{
        CLEANUP(session_freep) Session *session = calloc(1, sizeof(*session));
        unsigned left_sec = seconds_until(target->deadline_usec);
        /* Before any time-out of a read, which 3.4 reports as a lost connection. */
        uint64_t end_usec = clock_boottime_usec() + left_sec * USEC_PER_SEC;
        SessionResult result;
        bool connected, verified;

        *ret_certificate = (ServerCertificate){0};
        if (session)
                session->mysql = mysql_init(NULL);
        if (!session || !session->mysql) {
                session_error_set(ret_error, CR_OUT_OF_MEMORY, "out of memory");
                return SESSION_UNREACHABLE;
        }
        if (!library_is_known() || peer_verify_install() < 0) {
                session_error_set(ret_error, 0, "");
                text_format(ret_error->text, sizeof(ret_error->text),
                        "the client library %s was never tested with this program; nothing is sent",
                        mysql_get_client_info());
                return SESSION_TLS;
        }
        if (target->server_ca[0] != '\0' && access(target->server_ca, R_OK) < 0) {
                session_error_set(ret_error, 0, "");
                text_format(ret_error->text, sizeof(ret_error->text),
                        "server-ca cannot be read: %s: %s", target->server_ca, strerror(errno));
                return SESSION_TLS;
        }
        set_options(session->mysql, target, left_sec);
        peer_verify_begin(ret_certificate, target->host, store_of(target),
                target->any_peer ? PEER_OBSERVED : PEER_REQUIRED);
        connected = mysql_real_connect(session->mysql, target->host, target->user,
                target->any_peer ? NULL : password->data, NULL, target->port, NULL,
                CLIENT_MULTI_STATEMENTS);
        verified = peer_verify_end() || target->any_peer;
        if (!connected) {
                bool reached = !strstr(mysql_error(session->mysql), "(115)");

                result = session_error_connect(ret_error, mysql_errno(session->mysql),
                        mysql_error(session->mysql), target->plugins,
                        target->any_peer ? "" : ret_certificate->reason);
                ret_error->alert = peer_verify_alert();
                if (result == SESSION_UNREACHABLE && !reached)
                        add_connect_reason(ret_error, target);
                return result;
        }
        if (!verified || !is_encrypted(session)) {
                session_error_set(ret_error, 0, "the connection is not verified TLS 1.2 or 1.3");
                return SESSION_TLS;
        }
        if (end_usec > target->deadline_usec)
                end_usec = target->deadline_usec;
        if (socket_deadline_set((int)mysql_get_socket(session->mysql), end_usec) < 0) {
                session_error_set(ret_error, 0, "cannot create a timer");
                return SESSION_UNREACHABLE;
        }
        *ret = TAKE(session);
        return SESSION_OK;
}

Session *session_free(Session *session)
{
        if (!session)
                return NULL;
        socket_deadline_clear();
        if (session->mysql)
                mysql_close(session->mysql);
        free(session);
        return NULL;
}

void session_describe(const Session *session, ServerInfo *ret)
{
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);

        *ret = (ServerInfo){0};
        text_set(ret->tls_version, sizeof(ret->tls_version), session->tls_version);
        text_set(ret->tls_cipher, sizeof(ret->tls_cipher), mysql_get_ssl_cipher(session->mysql));
        text_set(ret->version, sizeof(ret->version), mysql_get_server_info(session->mysql));
        if (getpeername((int)mysql_get_socket(session->mysql), (struct sockaddr *)&peer, &size) ==
                0)
                (void)getnameinfo((struct sockaddr *)&peer, size, ret->address,
                        sizeof(ret->address), NULL, 0, NI_NUMERICHOST);
}

static void pass_rows(MYSQL_RES *rows, session_row_fn fn, void *userdata)
{
        unsigned n = mysql_num_fields(rows);
        const char *names[SESSION_COLUMNS_MAX];
        MYSQL_ROW row;

        if (n > SESSION_COLUMNS_MAX)
                n = SESSION_COLUMNS_MAX;
        for (unsigned i = 0; i < n; i++)
                names[i] = mysql_fetch_field_direct(rows, i)->name;
        while ((row = mysql_fetch_row(rows)) != NULL)
                fn(userdata, n, names, (const char *const *)row);
}

/* A procedure returns any number of results and then a status; an error can follow a result, so
 * success is known only at the end. */
SessionResult session_query(Session *session, const char *statement, session_row_fn fn,
        void *userdata, SessionError *ret_error)
{
        int next;

        if (mysql_real_query(session->mysql, statement, strlen(statement)) != 0)
                return use_error(session, ret_error);
        do {
                MYSQL_RES *rows = mysql_store_result(session->mysql);

                /* If the connection breaks within the rows, the field count is 0 (doc/aurora.md,
                 * "Connector/C"). */
                if (!rows &&
                        (mysql_field_count(session->mysql) > 0 || mysql_errno(session->mysql) != 0))
                        return use_error(session, ret_error);
                if (rows && fn)
                        pass_rows(rows, fn, userdata);
                mysql_free_result(rows);
                next = mysql_next_result(session->mysql);
        } while (next == 0);
        /* The result of an error is -1 as well, "no more results". */
        return mysql_errno(session->mysql) != 0 ? use_error(session, ret_error) : SESSION_OK;
}

bool session_in_transaction(const Session *session)
{
        unsigned status = 0;

        return mariadb_get_infov(session->mysql, MARIADB_CONNECTION_SERVER_STATUS, &status) == 0 &&
                (status & SERVER_STATUS_IN_TRANS);
}

uint64_t session_insert_id(const Session *session)
{
        return mysql_insert_id(session->mysql);
}

static SessionResult statement_error(MYSQL_STMT *statement, SessionError *ret)
{
        return session_error_use(ret, mysql_stmt_errno(statement), mysql_stmt_error(statement),
                socket_deadline_expired());
}

static SessionResult statement_drain(MYSQL_STMT *statement, SessionError *ret_error)
{
        int next;

        do {
                if (mysql_stmt_field_count(statement) > 0 &&
                        mysql_stmt_store_result(statement) != 0)
                        return statement_error(statement, ret_error);
                (void)mysql_stmt_free_result(statement);
                next = mysql_stmt_next_result(statement);
        } while (next == 0);
        return next > 0 ? statement_error(statement, ret_error) : SESSION_OK;
}

SessionResult session_call(Session *session, const char *text, const Secret *payload,
        bool *ret_sent, SessionError *ret_error)
{
        MYSQL_STMT *statement = mysql_stmt_init(session->mysql);
        unsigned long length = payload->size;
        MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING,
                .buffer = payload->data,
                .buffer_length = payload->size,
                .length = &length};
        SessionResult result = SESSION_OK;

        *ret_sent = false;
        if (!statement)
                return use_error(session, ret_error);
        if (mysql_stmt_prepare(statement, text, strlen(text)) != 0)
                result = statement_error(statement, ret_error);
        else if (mysql_stmt_param_count(statement) != 1) {
                /* libmariadb would read as many parameters as the server reports. */
                session_error_set(ret_error, CR_MALFORMED_PACKET,
                        "the server reports a parameter count other than 1");
                result = SESSION_LOST;
        } else if (mysql_stmt_bind_param(statement, &bind))
                result = statement_error(statement, ret_error);
        if (result == SESSION_OK) {
                *ret_sent = true;
                if (mysql_stmt_execute(statement) != 0)
                        result = statement_error(statement, ret_error);
                else
                        result = statement_drain(statement, ret_error);
        }
        (void)mysql_stmt_close(statement);
        return result;
}
