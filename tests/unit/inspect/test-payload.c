/* The sets are the fixtures of the inspector (tests/pki). */

#include "tests/unit/test.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "common/json-reader.h"
#include "common/macro.h"
#include "daemon/import/call.h"
#include "daemon/inspect/payload.h"
#include "tests/unit/pem-fixture.h"

static const char *fingerprint(const Pem *pem)
{
        static char buffers[2][REPORT_FINGERPRINT_MAX];
        static unsigned next;
        char *buffer = buffers[next++ % 2];

        assert_int_equal(payload_fingerprint(buffer, pem), 0);
        return buffer;
}

static void test_the_fingerprint_is_a_sha256_in_lower_case(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good");
        const char *text = fingerprint(&good);

        assert_int_equal(strlen(text), 64);
        for (size_t i = 0; i < 64; i++)
                assert_true(isdigit((unsigned char)text[i]) || strchr("abcdef", text[i]));
        assert_string_equal(text, fingerprint(&good));
}

static void test_the_fingerprint_does_not_depend_on_the_key(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good");
        CLEANUP(pem_done) Pem other = pem_fixture_load("good-other");
        EVP_PKEY *key = good.key;
        char before[REPORT_FINGERPRINT_MAX];

        strcpy(before, fingerprint(&good));
        good.key = other.key;
        assert_string_equal(fingerprint(&good), before);
        good.key = NULL;
        assert_string_equal(fingerprint(&good), before);
        good.key = key;
}

static void test_the_fingerprint_depends_on_each_certificate_and_its_place(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good-chain");
        CLEANUP(pem_done) Pem other = pem_fixture_load("good-other");
        char before[REPORT_FINGERPRINT_MAX];
        X509 *moved;

        strcpy(before, fingerprint(&good));
        assert_true(sk_X509_num(good.chain) > 1);

        moved = sk_X509_pop(good.chain); /* from the end of the chain to the CA file */
        assert_true(sk_X509_unshift(good.authorities, moved) > 0);
        assert_string_not_equal(fingerprint(&good), before);
        assert_ptr_equal(sk_X509_shift(good.authorities), moved);

        assert_true(sk_X509_unshift(good.chain, moved) > 0); /* to its beginning */
        assert_string_not_equal(fingerprint(&good), before);
        assert_ptr_equal(sk_X509_shift(good.chain), moved);
        assert_string_not_equal(fingerprint(&good), before);
        assert_true(sk_X509_push(good.chain, moved) > 0);
        assert_string_equal(fingerprint(&good), before);

        moved = sk_X509_pop(good.authorities); /* the same bytes in the same order, one CA fewer */
        assert_true(sk_X509_unshift(good.chain, moved) > 0);
        assert_string_not_equal(fingerprint(&good), before);
        assert_ptr_equal(sk_X509_shift(good.chain), moved);
        assert_true(sk_X509_push(good.authorities, moved) > 0);
        assert_string_equal(fingerprint(&good), before);

        assert_true(sk_X509_push(good.authorities, sk_X509_value(other.chain, 0)) > 0);
        assert_string_not_equal(fingerprint(&good), before);
        (void)sk_X509_pop(good.authorities);
}

static void test_authorities_in_another_order_or_doubled_are_the_same_set(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good-chain");
        CLEANUP(pem_done) Pem other = pem_fixture_load("good-other");
        X509 *first = sk_X509_value(good.authorities, 0);
        X509 *added = sk_X509_value(other.chain, 0); /* any other certificate */
        char before[REPORT_FINGERPRINT_MAX];

        assert_true(sk_X509_push(good.authorities, added) > 0);
        strcpy(before, fingerprint(&good));
        (void)sk_X509_shift(good.authorities);
        assert_true(sk_X509_push(good.authorities, first) > 0); /* added, first */
        assert_string_equal(fingerprint(&good), before);
        assert_true(sk_X509_push(good.authorities, added) > 0); /* added, first, added */
        assert_string_equal(fingerprint(&good), before);
        (void)sk_X509_pop(good.authorities);
        (void)sk_X509_shift(good.authorities);
        assert_string_not_equal(fingerprint(&good), before);
}

static void test_another_order_of_the_chain_is_another_set_and_a_doubled_one_is_not(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good-chain");
        X509 *last = sk_X509_value(good.chain, sk_X509_num(good.chain) - 1);
        char before[REPORT_FINGERPRINT_MAX];

        strcpy(before, fingerprint(&good));
        assert_true(sk_X509_push(good.chain, last) > 0);
        assert_string_equal(fingerprint(&good), before);
        (void)sk_X509_pop(good.chain);
        (void)sk_X509_pop(good.chain);
        assert_true(sk_X509_unshift(good.chain, last) > 0);
        assert_string_not_equal(fingerprint(&good), before);
}

static void test_the_legacy_fingerprint_is_that_of_one_authority_and_else_of_the_order(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good-chain");
        X509 *first = sk_X509_value(good.authorities, 0);
        char legacy[REPORT_FINGERPRINT_MAX], doubled[REPORT_FINGERPRINT_MAX];

        assert_int_equal(sk_X509_num(good.authorities), 1);
        assert_int_equal(payload_legacy_fingerprint(legacy, &good), 0);
        assert_string_equal(legacy, fingerprint(&good));
        assert_true(sk_X509_push(good.authorities, first) > 0);
        assert_int_equal(payload_legacy_fingerprint(doubled, &good), 0);
        assert_string_not_equal(doubled, legacy);
        assert_string_equal(fingerprint(&good), legacy);
        (void)sk_X509_pop(good.authorities);
}

static Secret build(const Pem *pem)
{
        Secret payload = SECRET_NULL;

        assert_int_equal(payload_build(&payload, pem), 0);
        return payload;
}

static void expect_certificates(const char *pem, STACK_OF(X509) * stack)
{
        BIO *bio = BIO_new_mem_buf(pem, -1);

        assert_non_null(bio);
        for (int i = 0; i < sk_X509_num(stack); i++) {
                X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

                assert_non_null(certificate);
                assert_int_equal(X509_cmp(certificate, sk_X509_value(stack, i)), 0);
                X509_free(certificate);
        }
        assert_int_equal(BIO_pending(bio), 0);
        BIO_free(bio);
}

static void expect_key(const char *pem, const EVP_PKEY *key)
{
        BIO *bio = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *read = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

        assert_non_null(read);
        assert_int_equal(EVP_PKEY_eq(read, key), 1);
        EVP_PKEY_free(read);
        BIO_free(bio);
}

static void test_the_payload_holds_the_set_in_order_with_the_key_last(void **state)
{
        static const char *const sets[] = {
                "good", "good-two-cas", "good-chain", "good-chain-leaf-last", "good-pkcs1-key"};

        for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
                CLEANUP(pem_done) Pem pem = pem_fixture_load(sets[i]);
                CLEANUP(secret_done) Secret payload = build(&pem);
                CLEANUP(json_freep) JsonValue *json = NULL;
                const char *key;

                assert_int_equal(json_parse(&json, payload.data, payload.size), 0);
                assert_int_equal(json_size(json), 3);
                assert_string_equal(json_key_at(json, 0), "ssl_ca");
                assert_string_equal(json_key_at(json, 1), "ssl_cert");
                assert_string_equal(json_key_at(json, 2), "ssl_key");
                expect_certificates(json_get_string(json_member(json, "ssl_ca")), pem.authorities);
                expect_certificates(json_get_string(json_member(json, "ssl_cert")), pem.chain);
                key = json_get_string(json_member(json, "ssl_key"));
                assert_int_equal(strncmp(key, "-----BEGIN RSA PRIVATE KEY-----\n", 32), 0);
                expect_key(key, pem.key);
        }
}

static void test_the_strict_form_is_one_line_of_printable_characters(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good");
        CLEANUP(secret_done) Secret payload = build(&good);

        for (size_t i = 0; i < payload.size; i++) {
                assert_true(isprint((unsigned char)payload.data[i]));
                if (payload.data[i] == '\\')
                        assert_int_equal(payload.data[i + 1], 'n');
        }
}

static void test_a_certificate_that_appears_twice_is_sent_once(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good-chain");
        CLEANUP(secret_done) Secret once = build(&good), twice = SECRET_NULL;

        assert_true(sk_X509_push(good.authorities, sk_X509_value(good.authorities, 0)) > 0);
        assert_true(sk_X509_push(good.chain, sk_X509_value(good.chain, 0)) > 0);
        twice = build(&good);
        assert_int_equal(twice.size, once.size);
        assert_memory_equal(twice.data, once.data, once.size);
        (void)sk_X509_pop(good.authorities);
        (void)sk_X509_pop(good.chain);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_fingerprint_is_a_sha256_in_lower_case),
                cmocka_unit_test(test_the_fingerprint_does_not_depend_on_the_key),
                cmocka_unit_test(test_the_fingerprint_depends_on_each_certificate_and_its_place),
                cmocka_unit_test(test_authorities_in_another_order_or_doubled_are_the_same_set),
                cmocka_unit_test(
                        test_another_order_of_the_chain_is_another_set_and_a_doubled_one_is_not),
                cmocka_unit_test(
                        test_the_legacy_fingerprint_is_that_of_one_authority_and_else_of_the_order),
                cmocka_unit_test(test_a_certificate_that_appears_twice_is_sent_once),
                cmocka_unit_test(test_the_payload_holds_the_set_in_order_with_the_key_last),
                cmocka_unit_test(test_the_strict_form_is_one_line_of_printable_characters),
        };

        if (argc != 2)
                return 2;
        pem_fixture_set_root(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
