#pragma once

/*
 * Client chain: brings the certificates of the certificate file into the order in which they are
 * sent, and leaves out those of the client's key that another one replaces.
 *
 * A TLS server reads the first certificate as the client's (RFC 8446, section 4.4.2). A script that
 * appends a renewed certificate to the file leaves the expired one first, so the order of the file
 * decides nothing: the client's certificate is one of the key that is no CA, is valid now, and has
 * its issuer in one of the files, of several the one that is valid longest. The others of this key
 * are not sent.
 */

#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "daemon/model/report.h"

/* What the choice depends on. Owns nothing. */
typedef struct ClientChain {
        STACK_OF(X509) * chain;       /* the certificate file */
        STACK_OF(X509) * authorities; /* the CA file; NULL: not known */
        EVP_PKEY *key;                /* NULL: not known */
} ClientChain;

/* Returns the index of the client's certificate in the chain, or -1 if none has the key. */
int client_chain_find(const ClientChain *files, uint64_t now_usec);

/* Leaf first, then each one's issuer as far as the chain has it; the rest keeps its order at the
 * end. If none has the key, the first stays the leaf and all stay. Each that is left out is freed
 * and added to the report as a warning; the leaf once more is not left out. */
void client_chain_order(
        const ClientChain *files, const char *path, Report *report, uint64_t now_usec);
