#include "tests/pki/set.h"

/*
 * The fixtures about EC keys, for a configuration that allows them: it is meant by "-ec" in the
 * name.
 *
 * An ECPrivateKey (RFC 5915, 3) has the scalar and, optionally, the public key that follows from
 * it.
 */

#include <string.h>

#include <openssl/objects.h>
#include <openssl/pem.h>

#include "tests/pki/failure.h"
#include "tests/pki/sequence.h"

enum { PLACE_SCALAR = 1, PLACE_PUBLIC = 3 };

#define CURVE NID_X9_62_prime256v1

/* A set with the key of `ec_key`. */
static void good(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.key = set->authority->ec_key;
        set_replace(set, MATERIAL_CERT, &request);
        set_replace_key(set, request.key, KEY_FORM_PKCS8);
}

/* The scalar of one key, all else of the other. */
static Sequence *mix(EVP_PKEY *scalar, EVP_PKEY *rest)
{
        CLEANUP(sequence_freep) Sequence *from = sequence_new(scalar);
        Sequence *key = sequence_new(rest);

        MUST(ASN1_STRING_copy(
                sequence_string(key, PLACE_SCALAR), sequence_string(from, PLACE_SCALAR)));
        return key;
}

static void without_public(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = sequence_new(set->authority->ec_key);

        sequence_remove(key, PLACE_PUBLIC);
        good(set);
        sequence_write_pkcs8(key, set, CURVE);
}

static void scalar_of_another(Set *set)
{
        CLEANUP(sequence_freep)
        Sequence *key = mix(set->authority->other_ec_key, set->authority->ec_key);

        good(set);
        sequence_write_pkcs8(key, set, CURVE);
}

static void scalar_of_another_sec1(Set *set)
{
        CLEANUP(sequence_freep)
        Sequence *key = mix(set->authority->other_ec_key, set->authority->ec_key);

        good(set);
        sequence_write_traditional(key, set, PEM_STRING_ECPRIVATEKEY);
}

/* The order of the curve is less than this scalar. */
static void scalar_above_order(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = sequence_new(set->authority->ec_key);
        ASN1_STRING *scalar = sequence_string(key, PLACE_SCALAR);

        memset(scalar->data, 0xff, (size_t)scalar->length);
        good(set);
        sequence_write_pkcs8(key, set, CURVE);
}

static void scalar_zero(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = sequence_new(set->authority->ec_key);
        ASN1_STRING *scalar = sequence_string(key, PLACE_SCALAR);

        memset(scalar->data, 0, (size_t)scalar->length);
        good(set);
        sequence_write_pkcs8(key, set, CURVE);
}

static void public_of_another(Set *set)
{
        CLEANUP(sequence_freep)
        Sequence *key = mix(set->authority->ec_key, set->authority->other_ec_key);

        good(set);
        sequence_write_pkcs8(key, set, CURVE);
}

static void scalar_of_another_without_public(Set *set)
{
        CLEANUP(sequence_freep)
        Sequence *key = mix(set->authority->other_ec_key, set->authority->ec_key);

        sequence_remove(key, PLACE_PUBLIC);
        good(set);
        sequence_write_pkcs8(key, set, CURVE);
}

static void rsa_key(Set *set)
{
        good(set);
        set_replace_key(set, set->authority->client_key, KEY_FORM_PKCS8);
}

static void rsa_certificate(Set *set)
{
        set_replace_key(set, set->authority->ec_key, KEY_FORM_PKCS8);
}

const Fixture ec_fixtures[] = {
        {"good-ec", "-", good},
        {"good-ec-without-public", "-", without_public},
        {"key-damaged-ec-scalar", "key-damaged/key/error", scalar_of_another},
        {"key-damaged-ec-scalar-sec1", "key-damaged/key/error", scalar_of_another_sec1},
        {"key-damaged-ec-scalar-above-order", "key-damaged/key/error", scalar_above_order},
        {"key-damaged-ec-scalar-zero", "key-damaged/key/error", scalar_zero},
        {"key-mismatch-ec-certificate", "key-mismatch/key/error", rsa_key},
        {"key-mismatch-ec-key", "key-mismatch/key/error", rsa_certificate},
        {"key-mismatch-ec-public", "key-mismatch/key/error", public_of_another},
        {"key-mismatch-ec-scalar", "key-mismatch/key/error", scalar_of_another_without_public},
        {.name = NULL},
};
