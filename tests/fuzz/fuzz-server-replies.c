/*
 * What the code of daemon/mysql and daemon/import makes of what a server sends after the login is a
 * value that a manager does not refuse. libmariadb reads it, as in the importer, without
 * instrumentation.
 *
 * The first byte of the input is the action, and then come packets: a byte of flags, two of the
 * length, the payload. The frame of a packet is made here unless FLAG_RAW is set; FLAG_NEXT begins
 * the answer to the next command. Greeting and login are those of a good server. Everything is sent
 * before the first command.
 *
 * There is no TLS: what the library says of it, and what verifies the peer, is replaced, and so is
 * connect(2), by one end of a socket pair.
 */

#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <mysql.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/import/import.h"
#include "daemon/import/removal.h"
#include "daemon/mysql/external-source.h"
#include "daemon/mysql/ledger.h"
#include "daemon/mysql/preflight.h"
#include "daemon/mysql/replica-status.h"
#include "daemon/mysql/session.h"
#include "daemon/tls/peer-verify.h"

#define FINGERPRINT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define FLAG_NEXT 1
#define FLAG_RAW  2

#define HEADER 4 /* of a packet: length, sequence number */

static const uint8_t *input;
static size_t input_size;
static int server_fd = -1;

int peer_verify_install(void)
{
        return 0;
}

void peer_verify_begin(
        ServerCertificate *ret, const char *host, const char *store, PeerPolicy policy)
{
        ret->result = CERTIFICATE_VERIFIED;
}

bool peer_verify_end(void)
{
        return true;
}

unsigned peer_verify_alert(void)
{
        return 0;
}

const char *STDCALL mysql_get_ssl_cipher(MYSQL *mysql)
{
        return "TLS_AES_256_GCM_SHA384";
}

my_bool mariadb_get_infov(MYSQL *mysql, enum mariadb_value value, void *ret, ...)
{
        my_bool (*real)(MYSQL *, enum mariadb_value, void *, ...);

        *(void **)&real = dlsym(RTLD_NEXT, "mariadb_get_infov"); /* as dlopen(3) shows */
        if (value != MARIADB_CONNECTION_TLS_VERSION)
                return real(mysql, value, ret);
        *(const char **)ret = "TLSv1.3";
        return 0;
}

MYSQL *STDCALL mysql_real_connect(MYSQL *mysql, const char *host, const char *user,
        const char *password, const char *db, unsigned port, const char *path, unsigned long flags)
{
        MYSQL *(STDCALL * real)(MYSQL *, const char *, const char *, const char *, const char *,
                unsigned, const char *, unsigned long);
        unsigned protocol = MYSQL_PROTOCOL_SOCKET;
        my_bool no = 0;

        *(void **)&real = dlsym(RTLD_NEXT, "mysql_real_connect");
        (void)mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
        (void)mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &no);
        (void)mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
        return real(mysql, NULL, user, password, db, 0, "/fuzz", flags);
}

static void send_bytes(const void *data, size_t size)
{
        MUST(send(server_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
}

static void send_packet(const void *payload, size_t size, unsigned sequence)
{
        const uint8_t header[HEADER] = {(uint8_t)size, (uint8_t)(size >> 8), 0, (uint8_t)sequence};

        send_bytes(header, sizeof(header));
        send_bytes(payload, size);
}

static void send_login(void)
{
        /* Protocol, version, thread, seed, capabilities without TLS, character set, status. */
        static const char greeting[] = "\x0a"
                                       "8.0.39\0"
                                       "\x07\0\0\0"
                                       "abcdefgh\0"
                                       "\x87\xa2\x2d"
                                       "\x02\0"
                                       "\x3f\0"
                                       "\x15"
                                       "\0\0\0\0\0\0\0\0\0\0"
                                       "ijklmnopqrst\0"
                                       "mysql_native_password";
        static const char ok[] = "\0\0\0\x02\0\0";

        send_packet(greeting, sizeof(greeting), 0);
        send_packet(ok, sizeof(ok), 2);
}

static void send_input(void)
{
        const uint8_t *data = input;
        size_t size = input_size;
        unsigned sequence = 1;

        while (size >= 3) {
                uint8_t flags = data[0];
                size_t length = (size_t)data[1] << 8 | data[2];

                data += 3;
                size -= 3;
                length = length < size ? length : size;
                if (flags & FLAG_NEXT)
                        sequence = 1;
                if (flags & FLAG_RAW)
                        send_bytes(data, length);
                else
                        send_packet(data, length, sequence++);
                data += length;
                size -= length;
        }
}

/* Of libmariadb. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
        int pair[2];

        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        MUST(dup2(pair[0], fd) == fd && close(pair[0]) == 0);
        server_fd = pair[1];
        send_login();
        send_input();
        MUST(shutdown(server_fd, SHUT_WR) == 0);
        return 0;
}

static void check_result(SessionResult result, const SessionError *error)
{
        MUST(result == SESSION_OK || result == SESSION_TIMED_OUT || result == SESSION_LOST ||
                result == SESSION_SERVER);
        MUST(result == SESSION_OK || session_error_is_valid(error));
}

static void read_facts(Session *session)
{
        Preflight preflight = {0};
        Replication replication = {0};
        ReplicationSource replica = {0};
        SessionError error = {0};
        LedgerColumns columns = {0};
        ExternalSource source = {.host = "source.example", .port = 3306};
        char text[OUTCOME_TEXT_MAX];
        const char *missing = NULL;
        bool locked = false;

        check_result(preflight_run(&preflight, session, "importer", &error), &error);
        MUST(preflight_is_valid(&preflight));
        (void)preflight_would_log_key(text, sizeof(text), &preflight, 100);
        check_result(replica_status_read(&replication, &replica, session, &error), &error);
        MUST(replication_is_valid(&replication));
        check_result(external_source_find(&source, session, &missing, &error), &error);
        check_result(ledger_read_columns(&columns, session, "ops.ledger", &error), &error);
        check_result(ledger_lock(&locked, session, 1, &error), &error);
}

static void act(Session *session, uint8_t action)
{
        static const ClusterConfig cluster = {
                .login = {.host = "db.example", .port = 3306, .user = "importer"},
                .replication = REPLICATION_OBSERVE,
                .ledger = "ops.ledger"};
        static const char text[] = "{\"ssl_ca\":\"CA\\n\",\"ssl_cert\":\"CERT\\n\","
                                   "\"ssl_key\":\"KEY\\n\"}";
        const ImportTask task = {.action = IMPORT_ACTION_IMPORT,
                .cluster = &cluster,
                .set = {.fingerprint = FINGERPRINT, .not_before_usec = USEC_PER_SEC}};
        const CallPayload payload = {.data = text, .size = strlen(text)};
        uint64_t deadline_usec = clock_boottime_usec() + USEC_PER_MIN;
        Redactor none = REDACTOR_NULL;
        const StopNote note = {&none, &none};
        Outcome outcome = {0};

        session_describe(session, &outcome.server);
        switch (action) {
        case 'c':
                import_check(&outcome, session, &task);
                break;
        case 'i':
                import_run(&outcome, session, &task, &payload, &note, deadline_usec);
                break;
        case 'r':
                removal_run(&outcome, session, &task, deadline_usec);
                break;
        default:
                read_facts(session);
                break;
        }
        MUST(outcome_is_valid(&outcome));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(session_freep) Session *session = NULL;
        CLEANUP(secret_done) Secret password = SECRET_NULL;
        ServerCertificate certificate;
        SessionError error = {0};
        const SessionTarget target = {.host = "db.example",
                .user = "importer",
                .server_ca = "",
                .plugins = "mysql_native_password,caching_sha2_password",
                .deadline_usec = clock_boottime_usec() + USEC_PER_MIN};

        if (size == 0 || size > 16 * 1024)
                return 0;
        input = data + 1;
        input_size = size - 1;
        MUST(secret_append(&password, "password", strlen("password")) == 0);
        MUST(session_open(&session, &target, &password, &certificate, &error) == SESSION_OK);
        act(session, data[0]);
        MUST(close(server_fd) == 0);
        return 0;
}
