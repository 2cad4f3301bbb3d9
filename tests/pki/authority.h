#pragma once

/*
 * Authority: creates the keys of the test PKI and issues certificates with them.
 *
 * Creating a key takes time, so each is created once and every fixture uses it. A certificate takes
 * none: a fixture changes one thing in the request of a good one and issues it.
 */

#include <time.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/macro.h"

#define AUTHORITY_HOUR         3600L
#define AUTHORITY_DAY          (24 * AUTHORITY_HOUR)
#define AUTHORITY_NAME         "binlog-ssld test CA"
#define AUTHORITY_ORGANISATION "binlog-ssld tests"

/* Extensions in the syntax of openssl.cnf. */
#define AUTHORITY_CA_EXTENSIONS                       \
        "basicConstraints = critical, CA:TRUE\n"      \
        "keyUsage = critical, keyCertSign, cRLSign\n" \
        "subjectKeyIdentifier = hash\n"               \
        "authorityKeyIdentifier = keyid\n"
#define AUTHORITY_CLIENT_EXTENSIONS                      \
        "basicConstraints = CA:FALSE\n"                  \
        "keyUsage = digitalSignature, keyEncipherment\n" \
        "subjectKeyIdentifier = hash\n"                  \
        "authorityKeyIdentifier = keyid\n"

typedef struct Authority {
        time_t now; /* all times are relative to it */

        EVP_PKEY *ca_key;
        EVP_PKEY *other_ca_key;
        EVP_PKEY *intermediate_key;
        EVP_PKEY *client_key;
        EVP_PKEY *other_client_key;
        EVP_PKEY *short_key;        /* RSA, 1024 bits */
        EVP_PKEY *three_primes_key; /* RSA */
        EVP_PKEY *ec_key;           /* P-256 */
        EVP_PKEY *other_ec_key;

        X509 *ca;
        X509 *intermediate;   /* issued by ca */
        X509 *client;         /* issued by ca */
        X509 *chained_client; /* issued by intermediate */
} Authority;

/* The members of a certificate to issue. Owns nothing. */
typedef struct Request {
        const char *organisation;
        const char *common_name; /* NULL: none */
        EVP_PKEY *key;
        X509 *issuer; /* NULL: self-signed */
        EVP_PKEY *issuer_key;
        const char *extensions; /* NULL: version 1 */
        const char *digest;
        long not_before; /* seconds from now */
        long not_after;
} Request;

void authority_init(Authority *ret, time_t now);
void authority_done(Authority *authority);

/* Requests of good certificates. */
Request authority_ca_request(const Authority *authority);
Request authority_intermediate_request(const Authority *authority);
Request authority_client_request(const Authority *authority);
Request authority_chained_client_request(const Authority *authority);

/* The caller frees the result. */
X509 *authority_issue(const Authority *authority, const Request *request);

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509 *, X509_free);
