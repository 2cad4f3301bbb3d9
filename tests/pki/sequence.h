#pragma once

/*
 * Sequence: the ASN.1 of a private key, changed part by part and written as the key file of a set.
 *
 * The fixtures change ASN.1, not an EVP_PKEY, because OpenSSL may complete or refuse numbers that
 * do not belong together. RSAPrivateKey: RFC 8017, A.1.2. ECPrivateKey: RFC 5915, 3.
 */

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "common/macro.h"
#include "tests/pki/set.h"

typedef ASN1_SEQUENCE_ANY Sequence;

/* The caller frees what these three return. */
Sequence *sequence_new(const EVP_PKEY *key);
Sequence *sequence_parse(const ASN1_STRING *der);
BIGNUM *sequence_number(const Sequence *sequence, int place);

void sequence_free(Sequence *sequence);
DEFINE_CLEANUP(Sequence *, sequence_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);

/* The part at `place`, of any type but INTEGER or NULL. Lives as long as the sequence. */
ASN1_STRING *sequence_string(const Sequence *sequence, int place);

void sequence_set_number(Sequence *sequence, int place, const BIGNUM *value);
void sequence_set_word(Sequence *sequence, int place, BN_ULONG word);
void sequence_remove(Sequence *sequence, int place);

/* Replaces the DER of `ret`. */
void sequence_encode(ASN1_STRING *ret, const Sequence *sequence);

/* The caller frees the key. */
EVP_PKEY *sequence_to_key(const Sequence *sequence);

/* PKCS#1, or for EC the form of SEC 1. */
void sequence_write_traditional(const Sequence *sequence, Set *set, const char *label);

/* `curve` is that of an EC key, NID_undef for RSA. */
void sequence_write_pkcs8(const Sequence *sequence, Set *set, int curve);
