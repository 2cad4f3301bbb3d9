#pragma once

/*
 * Identity: the three files parsed: CA certificates, client certificate chain, key.
 *
 * Takes PEM as the world writes it: prose around the blocks, CRLF, a BOM, any order in the
 * certificate file; OpenSSL reads the blocks. What cannot be parsed is added to the report under
 * its rule; nothing is judged here beyond that.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "daemon/inspect/snapshot.h"
#include "daemon/model/report.h"

typedef struct PemSet {
        STACK_OF(X509) * authorities; /* the CA file, in its order */
        STACK_OF(X509) * chain;       /* the certificate file, leaf first */
        EVP_PKEY *key;
} PemSet;

#define PEM_SET_NULL ((PemSet){0})

/* Members that could not be read stay NULL; then the report has failed. -ENOMEM. */
int pem_parse(PemSet *ret, const Snapshot *snapshot, const char *const paths[], Report *report);
void pem_done(PemSet *pem);

/* That of the first certificate in a PEM file. -EINVAL: what stands in `problem`; -ENOMEM. */
int pem_read_sha256(
        char ret[REPORT_FINGERPRINT_MAX], const char *path, char *problem, size_t problem_size);

static inline X509 *pem_leaf(const PemSet *pem)
{
        return pem->chain ? sk_X509_value(pem->chain, 0) : NULL;
}
