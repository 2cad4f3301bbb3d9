#include "tests/pki/sequence.h"

#include <stdbool.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tests/pki/failure.h"

DEFINE_CLEANUP(ASN1_STRING *, ASN1_STRING_free);
DEFINE_CLEANUP(PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free);

static Sequence *parse(const unsigned char *der, long size)
{
        Sequence *sequence = d2i_ASN1_SEQUENCE_ANY(NULL, &der, size);

        MUST(sequence);
        return sequence;
}

Sequence *sequence_new(const EVP_PKEY *key)
{
        unsigned char *der = NULL;
        int size = i2d_PrivateKey(key, &der);
        Sequence *sequence;

        MUST(size > 0);
        sequence = parse(der, size);
        OPENSSL_free(der);
        return sequence;
}

Sequence *sequence_parse(const ASN1_STRING *der)
{
        return parse(ASN1_STRING_get0_data(der), ASN1_STRING_length(der));
}

BIGNUM *sequence_number(const Sequence *sequence, int place)
{
        BIGNUM *number =
                ASN1_INTEGER_to_BN(sk_ASN1_TYPE_value(sequence, place)->value.integer, NULL);

        MUST(number);
        return number;
}

void sequence_free(Sequence *sequence)
{
        sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
}

ASN1_STRING *sequence_string(const Sequence *sequence, int place)
{
        return sk_ASN1_TYPE_value(sequence, place)->value.asn1_string;
}

void sequence_set_number(Sequence *sequence, int place, const BIGNUM *value)
{
        ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(value, NULL);

        MUST(integer);
        ASN1_TYPE_set(sk_ASN1_TYPE_value(sequence, place), V_ASN1_INTEGER, integer);
}

void sequence_set_word(Sequence *sequence, int place, BN_ULONG word)
{
        CLEANUP(BN_freep) BIGNUM *value = BN_new();

        MUST(value);
        MUST(BN_set_word(value, word));
        sequence_set_number(sequence, place, value);
}

void sequence_remove(Sequence *sequence, int place)
{
        ASN1_TYPE_free(sk_ASN1_TYPE_delete(sequence, place));
}

void sequence_encode(ASN1_STRING *ret, const Sequence *sequence)
{
        unsigned char *der = NULL;
        int size = i2d_ASN1_SEQUENCE_ANY(sequence, &der);

        MUST(size > 0);
        ASN1_STRING_set0(ret, der, size);
}

EVP_PKEY *sequence_to_key(const Sequence *sequence)
{
        CLEANUP(ASN1_STRING_freep) ASN1_STRING *der = ASN1_STRING_new();
        const unsigned char *at;
        EVP_PKEY *key;

        MUST(der);
        sequence_encode(der, sequence);
        at = ASN1_STRING_get0_data(der);
        key = d2i_AutoPrivateKey(NULL, &at, ASN1_STRING_length(der));
        MUST(key);
        return key;
}

void sequence_write_traditional(const Sequence *sequence, Set *set, const char *label)
{
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
        CLEANUP(ASN1_STRING_freep) ASN1_STRING *der = ASN1_STRING_new();

        MUST(bio && der);
        sequence_encode(der, sequence);
        MUST(PEM_write_bio(bio, label, "", ASN1_STRING_get0_data(der), ASN1_STRING_length(der)));
        set_clear(set, MATERIAL_KEY);
        set_add_bio(set, MATERIAL_KEY, bio);
}

void sequence_write_pkcs8(const Sequence *sequence, Set *set, int curve)
{
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
        CLEANUP(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *info = PKCS8_PRIV_KEY_INFO_new();
        bool rsa = curve == NID_undef;
        unsigned char *der = NULL; /* info owns it */
        int size = i2d_ASN1_SEQUENCE_ANY(sequence, &der);

        MUST(bio && info && size > 0);
        MUST(PKCS8_pkey_set0(info, OBJ_nid2obj(rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey),
                0, rsa ? V_ASN1_NULL : V_ASN1_OBJECT, rsa ? NULL : OBJ_nid2obj(curve), der, size));
        MUST(PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info));
        set_clear(set, MATERIAL_KEY);
        set_add_bio(set, MATERIAL_KEY, bio);
}
