#include "tests/pki/set.h"

/* The fixtures about the client's certificate and key, under a good CA. */

static void keep(Set *set)
{
}

static void other_client(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.common_name = "other replica";
        request.key = set->authority->other_client_key;
        set_replace(set, MATERIAL_CERT, &request);
        set_replace_key(set, request.key, KEY_FORM_PKCS8);
}

static void client_eku(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.extensions = AUTHORITY_CLIENT_EXTENSIONS "extendedKeyUsage = clientAuth\n";
        set_replace(set, MATERIAL_CERT, &request);
}

static void server_eku(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.extensions = AUTHORITY_CLIENT_EXTENSIONS "extendedKeyUsage = serverAuth\n";
        set_replace(set, MATERIAL_CERT, &request);
}

static void version1(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.extensions = NULL;
        set_replace(set, MATERIAL_CERT, &request);
}

/* Printed raw, it would forge a line of the journal and colour the terminal. */
static void odd_subject(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.common_name = "r\xc3\xa9plica, CN=\"x\"\n<0>all is well\x1b[31m";
        set_replace(set, MATERIAL_CERT, &request);
}

static void no_common_name(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.common_name = NULL;
        set_replace(set, MATERIAL_CERT, &request);
}

static void encrypted(Set *set)
{
        set_replace_key(set, set->authority->client_key, KEY_FORM_PKCS8_ENCRYPTED);
}

static void encrypted_legacy(Set *set)
{
        set_replace_key(set, set->authority->client_key, KEY_FORM_PKCS1_ENCRYPTED);
}

static void certify_key(Set *set, EVP_PKEY *key)
{
        Request request = authority_client_request(set->authority);

        request.key = key;
        set_replace(set, MATERIAL_CERT, &request);
        set_replace_key(set, key, KEY_FORM_PKCS8);
}

static void ec_key(Set *set)
{
        certify_key(set, set->authority->ec_key);
}

static void short_key(Set *set)
{
        certify_key(set, set->authority->short_key);
}

static void key_of_another(Set *set)
{
        set_replace_key(set, set->authority->other_client_key, KEY_FORM_PKCS8);
}

static void expired(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.not_after = -AUTHORITY_HOUR;
        set_replace(set, MATERIAL_CERT, &request);
}

/* From 1960-01-01 00:00:00Z to 1969-07-21 02:56:15Z. */
static void expired_1969(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.not_before = -315619200 - set->authority->now;
        request.not_after = -14159025 - set->authority->now;
        set_replace(set, MATERIAL_CERT, &request);
}

static void valid_from_1960(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.not_before = -315619200 - set->authority->now;
        set_replace(set, MATERIAL_CERT, &request);
}

static void expires_soon(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.not_before = -30 * AUTHORITY_DAY;
        request.not_after = 5 * AUTHORITY_DAY;
        set_replace(set, MATERIAL_CERT, &request);
}

static void not_yet_valid(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.not_before = 30 * AUTHORITY_DAY;
        set_replace(set, MATERIAL_CERT, &request);
}

static void leaf_is_ca(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.extensions = "basicConstraints = CA:TRUE\n"
                             "keyUsage = digitalSignature, keyEncipherment, keyCertSign\n"
                             "subjectKeyIdentifier = hash\n"
                             "authorityKeyIdentifier = keyid\n";
        set_replace(set, MATERIAL_CERT, &request);
}

static void signed_with(Set *set, const char *digest)
{
        Request request = authority_client_request(set->authority);

        request.digest = digest;
        set_replace(set, MATERIAL_CERT, &request);
}

static void signed_with_sha1(Set *set)
{
        signed_with(set, "SHA1");
}

static void signed_with_md5(Set *set)
{
        signed_with(set, "MD5");
}

/* A script that appends the renewed certificate of the same key. */
static void renewed_behind(Set *set)
{
        expired(set);
        set_add_certificate(set, MATERIAL_CERT, set->authority->client);
}

/* A script that puts it in front. */
static void renewed_before(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.not_before = -30 * AUTHORITY_DAY;
        request.not_after = AUTHORITY_DAY;
        set_add_issued(set, MATERIAL_CERT, &request);
}

const Fixture client_fixtures[] = {
        {"good", "-", keep},
        {"good-other", "-", other_client},
        {"good-client-eku", "-", client_eku},
        {"good-version1", "-", version1},
        {"good-odd-subject", "-", odd_subject},
        {"good-no-common-name", "-", no_common_name},
        {"key-encrypted", "key-encrypted/key/error", encrypted},
        {"key-encrypted-legacy", "key-encrypted/key/error", encrypted_legacy},
        {"key-type", "key-type/key/error", ec_key},
        {"key-bits", "key-bits/key/error", short_key},
        {"key-mismatch", "key-mismatch/key/error", key_of_another},
        {"good-from-1960", "-", valid_from_1960},
        {"cert-expired", "cert-expired/cert/error", expired},
        {"cert-expired-1969", "cert-expired/cert/error", expired_1969},
        {"pem-ignored-expired", "pem-ignored/cert/warning", renewed_behind},
        {"pem-ignored-renewed", "pem-ignored/cert/warning", renewed_before},
        {"cert-not-yet-valid", "cert-not-yet-valid/cert/error", not_yet_valid},
        {"cert-is-ca", "cert-is-ca/cert/error", leaf_is_ca},
        {"cert-usage", "cert-usage/cert/error", server_eku},
        {"cert-signature-sha1", "cert-signature/cert/error", signed_with_sha1},
        {"cert-signature-md5", "cert-signature/cert/error", signed_with_md5},
        {"expires-soon", "expires-soon/cert/warning", expires_soon},
        {.name = NULL},
};
