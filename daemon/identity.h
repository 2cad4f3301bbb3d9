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

#include "daemon/report.h"
#include "daemon/snapshot.h"

typedef struct Identity {
        STACK_OF(X509) * authorities; /* the CA file, in its order */
        STACK_OF(X509) * chain;       /* the certificate file, leaf first */
        EVP_PKEY *key;
} Identity;

#define IDENTITY_NULL ((Identity){0})

/* Members that could not be read stay NULL; then the report has failed. -ENOMEM. */
int identity_parse(
        Identity *ret, const Snapshot *snapshot, const char *const paths[], Report *report);
void identity_done(Identity *identity);

/* The SHA-256 of a certificate's DER in lower-case hexadecimal. */
void identity_digest(char ret[REPORT_FINGERPRINT_MAX], X509 *certificate);

/* That of the first certificate in a PEM file. -EINVAL: what stands in `problem`; -ENOMEM. */
int identity_read_digest(
        char ret[REPORT_FINGERPRINT_MAX], const char *path, char *problem, size_t problem_size);

/* A distinguished name on one clean line, "CN = x, O = y". */
void identity_name(char *buffer, size_t size, const X509_NAME *name);

/* In microseconds of the wall clock; 0 when it is none, or before 1970. */
uint64_t identity_time(const ASN1_TIME *time);

static inline X509 *identity_leaf(const Identity *identity)
{
        return identity->chain ? sk_X509_value(identity->chain, 0) : NULL;
}
