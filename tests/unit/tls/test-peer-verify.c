/*
 * A client that verifies nothing by itself, as Connector/C 3.4 does at a local address, meets a
 * server in this process. Each case changes one thing of a good certificate.
 */

#include "tests/unit/test.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/macro.h"
#include "daemon/tls/peer-verify.h"
#include "tests/pki/authority.h"

#define NAMES  "subjectAltName = DNS:db.example, DNS:localhost, IP:127.0.0.1, IP:::1\n"
#define SERVER AUTHORITY_CLIENT_EXTENSIONS "extendedKeyUsage = serverAuth\n"

static Authority authority;

typedef enum Chain {
        CHAIN_LEAF,
        CHAIN_WITH_INTERMEDIATE,
        CHAIN_WITH_ROOT,
} Chain;

typedef enum Issuer {
        ISSUER_TRUSTED,
        ISSUER_INTERMEDIATE,
        ISSUER_UNKNOWN,
        ISSUER_SELF,
} Issuer;

static const struct {
        const char *name;
        Issuer issuer;
        Chain chain;
        const char *extensions;
        long not_before, not_after;
        CertificateResult result;
} cases[] = {
        {"right", ISSUER_TRUSTED, CHAIN_LEAF, SERVER NAMES, -100, AUTHORITY_DAY,
                CERTIFICATE_VERIFIED},
        {"without a usage", ISSUER_TRUSTED, CHAIN_LEAF, AUTHORITY_CLIENT_EXTENSIONS NAMES, -100,
                AUTHORITY_DAY, CERTIFICATE_VERIFIED},
        {"chain", ISSUER_INTERMEDIATE, CHAIN_WITH_INTERMEDIATE, SERVER NAMES, -100, AUTHORITY_DAY,
                CERTIFICATE_VERIFIED},
        {"leaf alone", ISSUER_INTERMEDIATE, CHAIN_LEAF, SERVER NAMES, -100, AUTHORITY_DAY,
                CERTIFICATE_UNTRUSTED},
        {"unknown issuer", ISSUER_UNKNOWN, CHAIN_LEAF, SERVER NAMES, -100, AUTHORITY_DAY,
                CERTIFICATE_UNTRUSTED},
        {"unknown issuer with its root", ISSUER_UNKNOWN, CHAIN_WITH_ROOT, SERVER NAMES, -100,
                AUTHORITY_DAY, CERTIFICATE_UNTRUSTED},
        {"self-signed", ISSUER_SELF, CHAIN_LEAF, SERVER NAMES, -100, AUTHORITY_DAY,
                CERTIFICATE_UNTRUSTED},
        {"expired", ISSUER_TRUSTED, CHAIN_LEAF, SERVER NAMES, -AUTHORITY_DAY, -AUTHORITY_HOUR,
                CERTIFICATE_EXPIRED},
        {"not yet valid", ISSUER_TRUSTED, CHAIN_LEAF, SERVER NAMES, AUTHORITY_HOUR, AUTHORITY_DAY,
                CERTIFICATE_NOT_YET_VALID},
        {"other names", ISSUER_TRUSTED, CHAIN_LEAF,
                SERVER "subjectAltName = DNS:other.example, IP:127.0.0.2\n", -100, AUTHORITY_DAY,
                CERTIFICATE_OTHER_HOST},
        {"other purpose", ISSUER_TRUSTED, CHAIN_LEAF,
                AUTHORITY_CLIENT_EXTENSIONS "extendedKeyUsage = clientAuth\n" NAMES, -100,
                AUTHORITY_DAY, CERTIFICATE_OTHER_PURPOSE},
};

static const char *const hosts[] = {"db.example", "localhost", "127.0.0.1", "::1"};

/* As the callback of Connector/C 3.4. */
static int accept_everything(int ok, X509_STORE_CTX *context)
{
        return 1;
}

static X509 *other_root(void)
{
        Request request = authority_ca_request(&authority);

        request.common_name = "another CA";
        request.key = request.issuer_key = authority.other_ca_key;
        return authority_issue(&authority, &request);
}

static SSL_CTX *make_server(size_t i)
{
        CLEANUP(X509_freep) X509 *root = other_root();
        CLEANUP(X509_freep) X509 *leaf = NULL;
        SSL_CTX *server = SSL_CTX_new(TLS_server_method());
        Request request = authority_client_request(&authority);

        request.common_name = "server";
        request.extensions = cases[i].extensions;
        request.not_before = cases[i].not_before;
        request.not_after = cases[i].not_after;
        if (cases[i].issuer == ISSUER_INTERMEDIATE) {
                request.issuer = authority.intermediate;
                request.issuer_key = authority.intermediate_key;
        } else if (cases[i].issuer == ISSUER_UNKNOWN) {
                request.issuer = root;
                request.issuer_key = authority.other_ca_key;
        } else if (cases[i].issuer == ISSUER_SELF) {
                request.issuer = NULL;
                request.issuer_key = request.key;
        }
        leaf = authority_issue(&authority, &request);
        assert_int_equal(SSL_CTX_use_certificate(server, leaf), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(server, request.key), 1);
        if (cases[i].chain == CHAIN_WITH_INTERMEDIATE)
                assert_int_equal(SSL_CTX_add1_chain_cert(server, authority.intermediate), 1);
        else if (cases[i].chain == CHAIN_WITH_ROOT)
                assert_int_equal(SSL_CTX_add1_chain_cert(server, root), 1);
        return server;
}

/* Returns true if the client would send its login: its part of the handshake has ended. */
static bool shake_hands_with(SSL *server, SSL_CTX *client_context)
{
        SSL *client = SSL_new(client_context);
        BIO *client_end, *server_end;
        char byte;
        bool ended;

        assert_int_equal(BIO_new_bio_pair(&client_end, 0, &server_end, 0), 1);
        SSL_set_bio(client, client_end, client_end);
        SSL_set_bio(server, server_end, server_end);
        for (unsigned i = 0; i < 10; i++) {
                (void)SSL_connect(client);
                (void)SSL_accept(server);
        }
        ended = SSL_is_init_finished(client);
        (void)SSL_read(client, &byte, 1);
        SSL_free(client);
        SSL_free(server);
        return ended;
}

static bool shake_hands(SSL_CTX *server_context, SSL_CTX *client_context)
{
        return shake_hands_with(SSL_new(server_context), client_context);
}

static SSL_CTX *make_client(int mode)
{
        SSL_CTX *client = SSL_CTX_new(TLS_client_method());

        assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(client), authority.ca), 1);
        SSL_CTX_set_verify(client, mode, accept_everything);
        return client;
}

static void meet(size_t i, const char *host, int mode)
{
        SSL_CTX *server = make_server(i), *client = make_client(mode);
        bool good = cases[i].result == CERTIFICATE_VERIFIED, ended, verified;
        ServerCertificate certificate;

        peer_verify_begin(&certificate, host, "the store", PEER_REQUIRED);
        ended = shake_hands(server, client);
        verified = peer_verify_end();
        if (ended != good || verified != good)
                fail_msg("%s as %s: handshake %s, peer %s", cases[i].name, host,
                        ended ? "ended" : "failed", verified ? "verified" : "not verified");
        if (certificate.result != cases[i].result || (certificate.reason[0] == '\0') != good)
                fail_msg("%s as %s: %s", cases[i].name, host, certificate.reason);
        assert_non_null(strstr(certificate.subject, "CN = server"));
        assert_int_equal(certificate.chain_length, cases[i].chain == CHAIN_LEAF ? 1 : 2);
        SSL_CTX_free(server);
        SSL_CTX_free(client);
}

static void test_each_certificate_has_its_result_for_every_kind_of_host(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                for (size_t k = 0; k < ARRAY_SIZE(hosts); k++) {
                        meet(i, hosts[k], SSL_VERIFY_PEER);
                        meet(i, hosts[k], SSL_VERIFY_NONE);
                }
}

static void test_a_host_that_the_certificate_lacks_is_refused(void **state)
{
        static const char *const others[] = {
                "example", "x.db.example", "127.0.0.2", "::2", "server"};
        SSL_CTX *server = make_server(0), *client = make_client(SSL_VERIFY_PEER);
        ServerCertificate certificate;

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                peer_verify_begin(&certificate, others[i], "the store", PEER_REQUIRED);
                assert_false(shake_hands(server, client));
                assert_false(peer_verify_end());
                assert_int_equal(certificate.result, CERTIFICATE_OTHER_HOST);
        }
        SSL_CTX_free(server);
        SSL_CTX_free(client);
}

static void test_the_last_handshake_counts(void **state)
{
        SSL_CTX *good = make_server(0), *bad = make_server(4);
        SSL_CTX *client = make_client(SSL_VERIFY_PEER);
        ServerCertificate certificate;

        peer_verify_begin(&certificate, "db.example", "the store", PEER_REQUIRED);
        assert_true(shake_hands(good, client));
        assert_false(shake_hands(bad, client));
        assert_false(peer_verify_end());
        assert_int_equal(certificate.result, CERTIFICATE_UNTRUSTED);

        peer_verify_begin(&certificate, "db.example", "the store", PEER_REQUIRED);
        assert_false(shake_hands(bad, client));
        assert_true(shake_hands(good, client));
        assert_true(peer_verify_end());
        assert_int_equal(certificate.result, CERTIFICATE_VERIFIED);
        assert_string_equal(certificate.reason, "");
        SSL_CTX_free(good);
        SSL_CTX_free(bad);
        SSL_CTX_free(client);
}

static void test_a_peer_that_is_only_observed_ends_the_handshake(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                SSL_CTX *server = make_server(i), *client = make_client(SSL_VERIFY_PEER);
                ServerCertificate certificate;

                peer_verify_begin(&certificate, "db.example", "the store", PEER_OBSERVED);
                assert_true(shake_hands(server, client));
                assert_int_equal(peer_verify_end(), cases[i].result == CERTIFICATE_VERIFIED);
                assert_int_equal(certificate.result, cases[i].result);
                SSL_CTX_free(server);
                SSL_CTX_free(client);
        }
}

/* With TLS 1.3 the alert follows the client's part of the handshake. */
static void test_the_alert_of_a_server_that_refuses_the_client_is_kept(void **state)
{
        static const struct {
                int version;
                bool ends;
                unsigned alert;
        } expected[] = {{TLS1_2_VERSION, false, SSL_AD_HANDSHAKE_FAILURE},
                {TLS1_3_VERSION, true, SSL_AD_CERTIFICATE_REQUIRED}};

        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
                SSL_CTX *context = make_server(0), *client = make_client(SSL_VERIFY_PEER);
                SSL *server = SSL_new(context); /* before the begin: with its own verification */
                ServerCertificate certificate;

                SSL_CTX_set_max_proto_version(client, expected[i].version);
                SSL_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
                peer_verify_begin(&certificate, "db.example", "the store", PEER_REQUIRED);
                assert_int_equal(shake_hands_with(server, client), expected[i].ends);
                assert_true(peer_verify_end());
                assert_int_equal(peer_verify_alert(), expected[i].alert);
                peer_verify_begin(&certificate, "db.example", "the store", PEER_REQUIRED);
                assert_int_equal(peer_verify_alert(), 0);
                assert_true(shake_hands(context, client));
                assert_int_equal(peer_verify_alert(), 0);
                (void)peer_verify_end();
                SSL_CTX_free(context);
                SSL_CTX_free(client);
        }
}

/* Connects two sockets over loopback; both do not block. */
static void connect_pair(int *client, int *server)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);
        CLEANUP(closep) int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        assert_int_equal(listen(listener, 1), 0);
        *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(*client, (struct sockaddr *)&address, size), 0);
        *server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_return_code(*server, errno);
        assert_return_code(fcntl(*client, F_SETFL, O_NONBLOCK), errno);
        assert_return_code(fcntl(*server, F_SETFL, O_NONBLOCK), errno);
}

/* The server resets the connection before the client's next write, as one does that closes it with
 * something unread. */
static void test_the_alert_is_kept_when_the_connection_is_reset(void **state)
{
        static const struct linger reset = {.l_onoff = 1};
        SSL_CTX *context = make_server(0), *client_context = make_client(SSL_VERIFY_PEER);
        SSL *server = SSL_new(context), *client; /* before the begin: with its own verification */
        int client_fd, server_fd;
        ServerCertificate certificate;
        char byte;

        connect_pair(&client_fd, &server_fd);
        SSL_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        peer_verify_begin(&certificate, "db.example", "the store", PEER_REQUIRED);
        client = SSL_new(client_context);
        SSL_set_fd(client, client_fd);
        SSL_set_fd(server, server_fd);
        for (;;) {
                int r = SSL_connect(client);

                if (SSL_accept(server) <= 0 && r == 1 &&
                        ERR_peek_error() != 0) /* the server has sent its alert */
                        break;
        }
        ERR_clear_error();
        SSL_free(server);
        assert_int_equal(setsockopt(server_fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        close(server_fd);
        assert_int_equal(poll(&(struct pollfd){.fd = client_fd, .events = POLLRDHUP}, 1, 5000), 1);
        assert_int_equal(SSL_write(client, "login", 5), 5);
        assert_true(SSL_read(client, &byte, 1) <= 0);
        assert_int_equal(peer_verify_alert(), SSL_AD_CERTIFICATE_REQUIRED);
        /* Only the first write after the handshake. */
        assert_true(SSL_write(client, "login", 5) <= 0);
        assert_true(peer_verify_end());
        SSL_free(client);
        close(client_fd);
        SSL_CTX_free(context);
        SSL_CTX_free(client_context);
}

static void test_other_connections_of_the_process_are_left_alone(void **state)
{
        SSL_CTX *server = make_server(4), *client = make_client(SSL_VERIFY_PEER);
        ServerCertificate certificate = {0};

        peer_verify_begin(&certificate, "db.example", "the store", PEER_REQUIRED);
        (void)peer_verify_end();
        assert_true(shake_hands(server, client));
        assert_int_equal(certificate.result, CERTIFICATE_NOT_SHOWN);
        SSL_CTX_free(server);
        SSL_CTX_free(client);
}

static void test_without_a_handshake_nothing_is_verified(void **state)
{
        ServerCertificate certificate = {0};

        meet(0, "db.example", SSL_VERIFY_PEER);
        peer_verify_begin(&certificate, "db.example", "the store", PEER_REQUIRED);
        assert_false(peer_verify_end());
}

static int setup(void **state)
{
        authority_init(&authority, time(NULL));
        return peer_verify_install();
}

static int teardown(void **state)
{
        authority_done(&authority);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_certificate_has_its_result_for_every_kind_of_host),
                cmocka_unit_test(test_a_host_that_the_certificate_lacks_is_refused),
                cmocka_unit_test(test_the_last_handshake_counts),
                cmocka_unit_test(test_a_peer_that_is_only_observed_ends_the_handshake),
                cmocka_unit_test(test_the_alert_of_a_server_that_refuses_the_client_is_kept),
                cmocka_unit_test(test_the_alert_is_kept_when_the_connection_is_reset),
                cmocka_unit_test(test_other_connections_of_the_process_are_left_alone),
                cmocka_unit_test(test_without_a_handshake_nothing_is_verified),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
