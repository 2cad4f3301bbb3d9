#pragma once

/*
 * PEM: parses the three files into CA certificates, client certificate chain and key.
 *
 * Accepts what tools write: text around the blocks, CRLF, a BOM, any order in the certificate file;
 * OpenSSL reads the blocks. A file that cannot be parsed is added to the report under its rule;
 * every other rule is daemon/inspect/validate.h's.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "daemon/inspect/snapshot.h"
#include "daemon/model/report.h"

typedef struct Pem {
        STACK_OF(X509) * authorities; /* the CA file, in its order */
        STACK_OF(X509) * chain;       /* what is sent of the certificate file, leaf first */
        EVP_PKEY *key;
} Pem;

#define PEM_NULL ((Pem){0})

/* A member whose file could not be parsed is NULL, and the report has failed. The time
 * chooses the client's certificate (daemon/inspect/client-chain.h). -ENOMEM. */
int pem_parse(Pem *ret, const Snapshot *snapshot, const char *const paths[], Report *report,
        uint64_t now_usec);
void pem_done(Pem *pem);

/* The SHA-256 of the client's certificate in a PEM file: the first one, or another of the same key
 * that replaces it. Returns 0, -EINVAL with a sentence in `problem`, or -ENOMEM. */
int pem_read_sha256(char ret[REPORT_FINGERPRINT_MAX], const char *path, uint64_t now_usec,
        char *problem, size_t problem_size);

static inline X509 *pem_leaf(const Pem *pem)
{
        return pem->chain ? sk_X509_value(pem->chain, 0) : NULL;
}
