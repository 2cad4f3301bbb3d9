#include "daemon/tls/peer-verify.h"

#include <errno.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static const char *expected_host;
static bool passed;
static int error_code;

/* Returns the result unchanged. libmariadb 3.4 sets a callback that turns each error into a success,
 * and SSL_set_verify(3) cannot remove a callback. */
static int keep_result(int ok, X509_STORE_CTX *context)
{
        return ok;
}

static bool set_host(X509_VERIFY_PARAM *parameters, const char *host)
{
        X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 ||
                X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1;
}

static int on_verify(X509_STORE_CTX *context, void *userdata)
{
        X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);

        X509_STORE_CTX_set_verify_cb(context, keep_result);
        X509_VERIFY_PARAM_clear_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
        passed = expected_host && set_host(parameters, expected_host) &&
                X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) == 1 &&
                X509_verify_cert(context) == 1 && X509_STORE_CTX_get_error(context) == X509_V_OK;
        error_code = X509_STORE_CTX_get_error(context);
        if (!passed && error_code == X509_V_OK)
                X509_STORE_CTX_set_error(context, error_code = X509_V_ERR_UNSPECIFIED);
        return passed;
}

static void on_info(const SSL *ssl, int where, int result)
{
        if (!(where & SSL_CB_HANDSHAKE_START) || !expected_host)
                return;
        passed = false;
        SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), on_verify, NULL);
        SSL_set_verify((SSL *)ssl, SSL_VERIFY_PEER, NULL);
}

static void on_new(
        void *parent, void *data, CRYPTO_EX_DATA *extra, int index, long number, void *pointer)
{
        if (expected_host)
                SSL_set_info_callback(parent, on_info);
}

int peer_verify_install(void)
{
        static int index = -1;

        if (index < 0)
                index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, on_new, NULL, NULL);
        return index < 0 ? -ENOTSUP : 0;
}

void peer_verify_begin(const char *host)
{
        expected_host = host;
        passed = false;
        error_code = X509_V_OK;
}

bool peer_verify_end(void)
{
        expected_host = NULL;
        return passed;
}

const char *peer_verify_error(void)
{
        return error_code == X509_V_OK ? "" : X509_verify_cert_error_string(error_code);
}
