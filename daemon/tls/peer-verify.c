#include "daemon/tls/peer-verify.h"

#include <errno.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static struct {
        ServerCertificate *certificate; /* NULL: connections are left alone */
        const char *host, *store;
        PeerPolicy policy;
        CertificateError error; /* the first one of this handshake */
        bool passed;
        unsigned alert;
} peer;

/* The names alone do not show that two CAs of one name differ. */
static bool same_name_is_trusted(X509_STORE_CTX *context, const X509 *certificate)
{
        STACK_OF(X509) *found = certificate
                ? X509_STORE_CTX_get1_certs(context, X509_get_issuer_name(certificate))
                : NULL;
        bool trusted = sk_X509_num(found) > 0;

        sk_X509_pop_free(found, X509_free);
        return trusted;
}

static void set_error(X509_STORE_CTX *context)
{
        X509 *certificate = X509_STORE_CTX_get_current_cert(context);
        int code = X509_STORE_CTX_get_error(context);

        server_certificate_set_error(&peer.error, code != X509_V_OK ? code : X509_V_ERR_UNSPECIFIED,
                X509_STORE_CTX_get_error_depth(context), certificate);
        peer.error.same_name = same_name_is_trusted(context, certificate);
}

/* Never turns an error into a success, as the callback that libmariadb 3.4 sets does;
 * SSL_set_verify(3) cannot remove a callback. */
static int on_certificate(int ok, X509_STORE_CTX *context)
{
        if (!ok && peer.error.code == X509_V_OK)
                set_error(context);
        return ok;
}

static int on_verify(X509_STORE_CTX *context, void *userdata)
{
        X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
        bool verified;

        if (!peer.certificate)
                return 0;
        X509_STORE_CTX_set_verify_cb(context, on_certificate);
        X509_VERIFY_PARAM_clear_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
        verified = X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) == 1 &&
                X509_verify_cert(context) == 1 && X509_STORE_CTX_get_error(context) == X509_V_OK;
        if (!verified && peer.error.code == X509_V_OK)
                set_error(context);
        peer.certificate->chain_length =
                (unsigned)sk_X509_num(X509_STORE_CTX_get0_untrusted(context));
        server_certificate_evaluate(peer.certificate, X509_STORE_CTX_get0_cert(context),
                &peer.error, peer.host, peer.store);
        peer.passed = verified && peer.certificate->result == CERTIFICATE_VERIFIED;
        if (peer.policy == PEER_OBSERVED) {
                X509_STORE_CTX_set_error(context, X509_V_OK); /* the library reads it as well */
                return 1;
        }
        if (verified && !peer.passed) /* decides the alert */
                X509_STORE_CTX_set_error(context, X509_V_ERR_HOSTNAME_MISMATCH);
        return peer.passed;
}

/* The level has no meaning in TLS 1.3; only two alerts are no errors. */
static void on_alert(unsigned description)
{
        if (description != SSL_AD_CLOSE_NOTIFY && description != SSL_AD_USER_CANCELLED)
                peer.alert = description;
}

/* A server that has refused the client may have reset the connection already, and a library that
 * cannot write reads no alert. So the first write does not fail for that; the read that follows
 * gets the alert, which stays in the socket, or the same error. */
static long on_first_write(BIO *bio, int operation, const char *data, size_t size, int number,
        long argument, int result, size_t *written)
{
        if (operation != (BIO_CB_WRITE | BIO_CB_RETURN) || BIO_should_retry(bio))
                return result;
        BIO_set_callback_ex(bio, NULL);
        if (result > 0 || (errno != ECONNRESET && errno != EPIPE))
                return result;
        *written = size;
        return 1;
}

static void on_info(const SSL *ssl, int where, int result)
{
        if (peer.certificate && where == SSL_CB_READ_ALERT)
                on_alert((unsigned)result & 0xff);
        if (peer.certificate && (where & SSL_CB_HANDSHAKE_DONE))
                BIO_set_callback_ex(SSL_get_wbio(ssl), on_first_write);
        if (!(where & SSL_CB_HANDSHAKE_START) || !peer.certificate)
                return;
        *peer.certificate = (ServerCertificate){0};
        peer.error = (CertificateError){0};
        peer.passed = false;
        peer.alert = 0;
        SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), on_verify, NULL);
        SSL_set_verify((SSL *)ssl, SSL_VERIFY_PEER, NULL);
}

static void on_new(
        void *parent, void *data, CRYPTO_EX_DATA *extra, int index, long number, void *pointer)
{
        if (peer.certificate)
                SSL_set_info_callback(parent, on_info);
}

int peer_verify_install(void)
{
        static int index = -1;

        if (index < 0)
                index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, on_new, NULL, NULL);
        return index < 0 ? -ENOTSUP : 0;
}

void peer_verify_begin(
        ServerCertificate *ret, const char *host, const char *store, PeerPolicy policy)
{
        peer.certificate = ret;
        peer.host = host;
        peer.store = store;
        peer.policy = policy;
        peer.passed = false;
        peer.alert = 0;
}

bool peer_verify_end(void)
{
        peer.certificate = NULL;
        return peer.passed;
}

unsigned peer_verify_alert(void)
{
        return peer.alert;
}
