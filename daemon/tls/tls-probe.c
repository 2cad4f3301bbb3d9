#include "daemon/tls/tls-probe.h"

#include <errno.h>
#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/file.h"
#include "common/text.h"
#include "daemon/tls/mysql-greeting.h"
#include "daemon/tls/tcp-stream.h"

static bool check_step(ServerCertificate *ret, const char *failure, int r)
{
        if (r < 0)
                text_format(ret->reason, sizeof(ret->reason), "%s: %s", failure,
                        tcp_stream_error_text(r));
        return r == 0;
}

static bool read_greeting(TcpStream *stream, ServerCertificate *ret)
{
        uint8_t bytes[MYSQL_GREETING_MAX];
        MysqlGreeting greeting;
        size_t size = 0;
        int r = tcp_stream_receive_all(stream, bytes, MYSQL_GREETING_HEAD);

        if (r == 0) {
                size = mysql_greeting_size(bytes);
                r = tcp_stream_receive_all(stream, bytes, size);
        }
        if (!check_step(ret, "no greeting", r))
                return false;
        mysql_greeting_parse(&greeting, bytes, size);
        switch (greeting.kind) {
        case MYSQL_GREETING_TLS:
                return true;
        case MYSQL_GREETING_NO_TLS:
                ret->result = CERTIFICATE_NO_TLS;
                text_format(ret->reason, sizeof(ret->reason), "the server %s does not offer TLS",
                        greeting.text);
                break;
        case MYSQL_GREETING_ERROR:
                text_format(ret->reason, sizeof(ret->reason),
                        "the server answers with error %u: %s", greeting.number, greeting.text);
                break;
        case MYSQL_GREETING_OTHER_PROTOCOL:
                text_format(ret->reason, sizeof(ret->reason),
                        "the server speaks protocol %u, not MySQL's 10", greeting.number);
                break;
        case MYSQL_GREETING_BROKEN:
        case _MYSQL_GREETING_KIND_MAX:
                text_set(ret->reason, sizeof(ret->reason),
                        "the server does not speak the MySQL protocol");
                break;
        }
        return false;
}

/* The names alone do not show that two CAs of one name differ. */
static bool same_name_is_trusted(X509_STORE_CTX *store, const X509 *certificate)
{
        STACK_OF(X509) *found = certificate
                ? X509_STORE_CTX_get1_certs(store, X509_get_issuer_name(certificate))
                : NULL;
        bool trusted = sk_X509_num(found) > 0;

        sk_X509_pop_free(found, X509_free);
        return trusted;
}

/* Keeps the first error and lets the handshake continue, so that the certificate is received. */
static int on_verify(int good, X509_STORE_CTX *store)
{
        SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
        X509 *certificate = X509_STORE_CTX_get_current_cert(store);
        CertificateError *error = SSL_get_app_data(ssl);

        if (good || error->code != X509_V_OK)
                return 1;
        server_certificate_set_error(error, X509_STORE_CTX_get_error(store),
                X509_STORE_CTX_get_error_depth(store), certificate);
        error->same_name = same_name_is_trusted(store, certificate);
        return 1;
}

static bool load_trust(SSL_CTX *context, const char *server_ca)
{
        if (file_is_directory(server_ca))
                return SSL_CTX_load_verify_locations(context, NULL, server_ca) == 1;
        return SSL_CTX_load_verify_locations(context, server_ca, NULL) == 1;
}

static SSL *make_tls(ServerCertificate *ret, const char *server_ca)
{
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL *ssl = NULL;

        if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
                text_set(ret->reason, sizeof(ret->reason), "cannot initialise TLS");
        else if (server_ca[0] != '\0' && !load_trust(context, server_ca))
                text_format(ret->reason, sizeof(ret->reason), "server-ca cannot be read: %s",
                        server_ca);
        else if (server_ca[0] == '\0' && SSL_CTX_set_default_verify_paths(context) != 1)
                text_set(ret->reason, sizeof(ret->reason),
                        "the system's trust store cannot be read");
        else {
                SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
                ssl = SSL_new(context);
        }
        SSL_CTX_free(context); /* the session holds a reference */
        return ssl;
}

static int send_pending(TcpStream *stream, BIO *out)
{
        uint8_t bytes[4096];
        int n, r = 0;

        while (r == 0 && (n = BIO_read(out, bytes, sizeof(bytes))) > 0)
                r = tcp_stream_send_all(stream, bytes, (size_t)n);
        return r;
}

/* OpenSSL works on memory instead of the socket, so that no server can keep it in a loop: every
 * iteration receives within the deadline and the budget. */
static bool handshake(TcpStream *stream, ServerCertificate *ret, SSL *ssl, BIO *in, BIO *out)
{
        uint8_t bytes[4096];
        const char *why;

        for (;;) {
                int done, want, r;
                ssize_t n;

                ERR_clear_error();
                done = SSL_do_handshake(ssl);
                want = SSL_get_error(ssl, done);
                r = send_pending(stream, out);
                if (done == 1 && r == 0)
                        return true;
                if (done != 1 && want != SSL_ERROR_WANT_READ) {
                        why = ERR_reason_error_string(ERR_peek_last_error());
                        ret->result = CERTIFICATE_NO_TLS;
                        break;
                }
                n = r < 0 ? r : tcp_stream_receive(stream, bytes, sizeof(bytes));
                if (n < 0 || BIO_write(in, bytes, (int)n) != n) {
                        why = tcp_stream_error_text(n < 0 ? (int)n : -ENOMEM);
                        break;
                }
        }
        text_format(ret->reason, sizeof(ret->reason), "TLS failed: %s", why ? why : "no reason");
        return false;
}

static void read_certificate(
        TcpStream *stream, ServerCertificate *ret, SSL *ssl, const TlsProbeTarget *target)
{
        BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
        CertificateError error = {0};
        X509 *leaf;

        if (!in || !out) {
                BIO_free(in);
                BIO_free(out);
                text_set(ret->reason, sizeof(ret->reason), "cannot initialise TLS");
                return;
        }
        SSL_set_bio(ssl, in, out); /* the session owns both from here on */
        SSL_set_connect_state(ssl);
        SSL_set_app_data(ssl, &error);
        if (!handshake(stream, ret, ssl, in, out))
                return;
        leaf = SSL_get0_peer_certificate(ssl);
        if (!leaf) {
                text_set(ret->reason, sizeof(ret->reason), "the server sent no certificate");
                return;
        }
        ret->chain_length = (unsigned)sk_X509_num(SSL_get_peer_cert_chain(ssl));
        server_certificate_evaluate(ret, leaf, &error, target->host, target->server_ca);
}

static bool connect_server(TcpStream *stream, ServerCertificate *ret, const TlsProbeTarget *target)
{
        const char *host = target->address[0] != '\0' ? target->address : target->host;

        return check_step(
                ret, "no connection", tcp_stream_connect(stream, host, target->port, ret->address));
}

static bool request_tls(TcpStream *stream, ServerCertificate *ret)
{
        uint8_t request[MYSQL_GREETING_REQUEST_SIZE];

        mysql_greeting_request_tls(request);
        return check_step(ret, "no TLS", tcp_stream_send_all(stream, request, sizeof(request)));
}

void tls_probe_run(ServerCertificate *ret, const TlsProbeTarget *target)
{
        CLEANUP(tcp_stream_done) TcpStream stream = TCP_STREAM_NULL;
        SSL *ssl;

        stream.deadline_usec = target->deadline_usec;
        stream.budget = TLS_PROBE_BYTES_MAX;
        ret->result = CERTIFICATE_NOT_SHOWN;
        ssl = make_tls(ret, target->server_ca);
        if (ssl && connect_server(&stream, ret, target) && read_greeting(&stream, ret) &&
                request_tls(&stream, ret))
                read_certificate(&stream, ret, ssl, target);
        SSL_free(ssl);
        ERR_clear_error();
}
