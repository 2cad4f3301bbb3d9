#include "tests/pki/authority.h"

/*
 * CA keys are RSA because one fixture is signed with MD5, which ECDSA cannot be combined with.
 */

#include <string.h>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tests/pki/failure.h"

DEFINE_CLEANUP(CONF *, NCONF_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);

static EVP_PKEY *make_rsa_key(size_t bits)
{
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);

        MUST(key);
        return key;
}

static EVP_PKEY *make_three_primes_key(void)
{
        CLEANUP(EVP_PKEY_CTX_freep)
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        EVP_PKEY *key = NULL;

        MUST(context && EVP_PKEY_keygen_init(context) > 0);
        MUST(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) > 0);
        MUST(EVP_PKEY_CTX_set_rsa_keygen_primes(context, 3) > 0);
        MUST(EVP_PKEY_generate(context, &key) > 0);
        return key;
}

static EVP_PKEY *make_ec_key(void)
{
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

        MUST(key);
        return key;
}

static void add_name(X509_NAME *name, const char *field, const char *value)
{
        MUST(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value,
                (int)strlen(value), -1, 0));
}

static void set_subject(X509 *certificate, const Request *request)
{
        X509_NAME *name = X509_get_subject_name(certificate);

        add_name(name, "O", request->organisation);
        if (request->common_name)
                add_name(name, "CN", request->common_name);
}

static void set_serial(X509 *certificate)
{
        static long last = 0x1000; /* unique within a run */

        MUST(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++last));
}

static void set_extensions(X509 *certificate, const Request *request)
{
        CLEANUP(BIO_free_allp) BIO *text = BIO_new_mem_buf(request->extensions, -1);
        CLEANUP(NCONF_freep) CONF *conf = NCONF_new(NULL);
        X509V3_CTX context;
        long bad_line = 0;

        MUST(text && conf);
        MUST(NCONF_load_bio(conf, text, &bad_line) > 0);

        X509V3_set_ctx(&context, request->issuer ? request->issuer : certificate, certificate, NULL,
                NULL, 0);
        X509V3_set_nconf(&context, conf);
        MUST(X509V3_EXT_add_nconf(conf, &context, "default", certificate));
}

X509 *authority_issue(const Authority *authority, const Request *request)
{
        CLEANUP(X509_freep) X509 *certificate = X509_new();
        const X509 *issuer = request->issuer ? request->issuer : certificate;
        const EVP_MD *digest = EVP_get_digestbyname(request->digest);
        time_t now = authority->now;

        MUST(certificate);
        MUST(digest);

        MUST(X509_set_version(certificate, request->extensions ? X509_VERSION_3 : X509_VERSION_1));
        set_serial(certificate);
        set_subject(certificate, request);
        MUST(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
        MUST(X509_time_adj_ex(X509_getm_notBefore(certificate), 0, request->not_before, &now));
        MUST(X509_time_adj_ex(X509_getm_notAfter(certificate), 0, request->not_after, &now));
        MUST(X509_set_pubkey(certificate, request->key));
        if (request->extensions)
                set_extensions(certificate, request);

        MUST(X509_sign(certificate, request->issuer_key, digest));
        return TAKE(certificate);
}

Request authority_ca_request(const Authority *authority)
{
        return (Request){
                .organisation = AUTHORITY_ORGANISATION,
                .common_name = AUTHORITY_NAME,
                .key = authority->ca_key,
                .issuer_key = authority->ca_key,
                .extensions = AUTHORITY_CA_EXTENSIONS,
                .digest = "SHA256",
                .not_before = -AUTHORITY_DAY,
                .not_after = 365 * AUTHORITY_DAY,
        };
}

Request authority_intermediate_request(const Authority *authority)
{
        Request request = authority_ca_request(authority);

        request.common_name = "binlog-ssld test intermediate CA";
        request.key = authority->intermediate_key;
        request.issuer = authority->ca;
        return request;
}

Request authority_client_request(const Authority *authority)
{
        Request request = authority_ca_request(authority);

        request.common_name = "replica";
        request.key = authority->client_key;
        request.issuer = authority->ca;
        request.extensions = AUTHORITY_CLIENT_EXTENSIONS;
        return request;
}

Request authority_chained_client_request(const Authority *authority)
{
        Request request = authority_client_request(authority);

        request.issuer = authority->intermediate;
        request.issuer_key = authority->intermediate_key;
        return request;
}

void authority_init(Authority *ret, time_t now)
{
        Request request;

        *ret = (Authority){
                .now = now,
                .ca_key = make_rsa_key(2048),
                .other_ca_key = make_rsa_key(2048),
                .intermediate_key = make_rsa_key(2048),
                .client_key = make_rsa_key(2048),
                .other_client_key = make_rsa_key(2048),
                .short_key = make_rsa_key(1024),
                .three_primes_key = make_three_primes_key(),
                .ec_key = make_ec_key(),
                .other_ec_key = make_ec_key(),
        };

        request = authority_ca_request(ret);
        ret->ca = authority_issue(ret, &request);
        request = authority_intermediate_request(ret);
        ret->intermediate = authority_issue(ret, &request);
        request = authority_client_request(ret);
        ret->client = authority_issue(ret, &request);
        request = authority_chained_client_request(ret);
        ret->chained_client = authority_issue(ret, &request);
}

void authority_done(Authority *authority)
{
        X509_free(authority->chained_client);
        X509_free(authority->client);
        X509_free(authority->intermediate);
        X509_free(authority->ca);
        EVP_PKEY_free(authority->other_ec_key);
        EVP_PKEY_free(authority->ec_key);
        EVP_PKEY_free(authority->three_primes_key);
        EVP_PKEY_free(authority->short_key);
        EVP_PKEY_free(authority->other_client_key);
        EVP_PKEY_free(authority->client_key);
        EVP_PKEY_free(authority->intermediate_key);
        EVP_PKEY_free(authority->other_ca_key);
        EVP_PKEY_free(authority->ca_key);
        *authority = (Authority){0};
}
