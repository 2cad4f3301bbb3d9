/* The sets are the fixtures of the inspector (tests/pki). */

#include "tests/unit/test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "common/json-reader.h"
#include "common/macro.h"
#include "daemon/import/call.h"
#include "daemon/inspect/payload.h"
#include "daemon/inspect/pem.h"

static const char *root;

static Pem load(const char *directory)
{
        static const char *const names[] = {"ca.pem", "client-cert.pem", "client-key.pem"};
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;
        char paths[_MATERIAL_FILE_MAX][512];
        const char *pointers[_MATERIAL_FILE_MAX];
        Pem pem = PEM_NULL;
        Report report = {0};

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                snprintf(paths[i], sizeof(paths[i]), "%s/%s/%s", root, directory, names[i]);
                pointers[i] = paths[i];
        }
        assert_int_equal(snapshot_take(&snapshot, pointers), 0);
        assert_int_equal(pem_parse(&pem, &snapshot, pointers, &report), 0);
        assert_false(report.failed);
        return pem;
}

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
        CLEANUP(pem_done) Pem good = load("good");
        const char *text = fingerprint(&good);

        (void)state;
        assert_int_equal(strlen(text), 64);
        for (size_t i = 0; i < 64; i++)
                assert_true(isdigit((unsigned char)text[i]) || strchr("abcdef", text[i]));
        assert_string_equal(text, fingerprint(&good));
}

static void test_the_fingerprint_does_not_depend_on_the_key(void **state)
{
        CLEANUP(pem_done) Pem good = load("good"), other = load("good-other");
        EVP_PKEY *key = good.key;
        char before[REPORT_FINGERPRINT_MAX];

        (void)state;
        strcpy(before, fingerprint(&good));
        good.key = other.key;
        assert_string_equal(fingerprint(&good), before);
        good.key = NULL;
        assert_string_equal(fingerprint(&good), before);
        good.key = key;
}

static void test_the_fingerprint_depends_on_each_certificate_and_its_place(void **state)
{
        CLEANUP(pem_done) Pem good = load("good-chain"), other = load("good-other");
        char before[REPORT_FINGERPRINT_MAX];
        X509 *moved;

        (void)state;
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

        assert_true(sk_X509_push(good.authorities, sk_X509_value(other.authorities, 0)) > 0);
        assert_string_not_equal(fingerprint(&good), before);
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

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
                CLEANUP(pem_done) Pem pem = load(sets[i]);
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
        CLEANUP(pem_done) Pem good = load("good");
        CLEANUP(secret_done) Secret payload = build(&good);

        (void)state;
        for (size_t i = 0; i < payload.size; i++) {
                assert_true(isprint((unsigned char)payload.data[i]));
                if (payload.data[i] == '\\')
                        assert_int_equal(payload.data[i + 1], 'n');
        }
}

static void test_the_raw_form_differs_only_in_its_line_ends(void **state)
{
        CLEANUP(pem_done) Pem good = load("good");
        CLEANUP(secret_done) Secret strict = build(&good);
        CLEANUP(secret_done) Secret raw = SECRET_NULL;
        size_t at = 0;

        (void)state;
        assert_int_equal(call_payload_raw(&raw, strict.data, strict.size), 0);
        assert_null(strchr(raw.data, '\\'));
        for (size_t i = 0; i < raw.size; i++) {
                if (raw.data[i] == '\n') {
                        assert_memory_equal(strict.data + at, "\\n", 2);
                        at++;
                } else
                        assert_int_equal(raw.data[i], strict.data[at]);
                at++;
        }
        assert_int_equal(at, strict.size);
}

static void test_only_escaped_line_ends_are_converted(void **state)
{
        static const struct {
                const char *strict, *raw;
        } cases[] = {{"", ""}, {"abc", "abc"}, {"a\\nb", "a\nb"}, {"\\n\\n", "\n\n"},
                {"n\\", "n\\"}, {"a\\", "a\\"}, {"\\t", "\\t"}};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(secret_done) Secret raw = SECRET_NULL;

                assert_int_equal(
                        call_payload_raw(&raw, cases[i].strict, strlen(cases[i].strict)), 0);
                assert_int_equal(raw.size, strlen(cases[i].raw));
                assert_string_equal(raw.data, cases[i].raw);
        }
}

static void test_no_byte_of_the_key_stands_before_its_offset_in_either_form(void **state)
{
        CLEANUP(pem_done) Pem good = load("good-chain");
        CLEANUP(secret_done) Secret strict = build(&good);
        CLEANUP(secret_done) Secret raw = SECRET_NULL;
        size_t offset = call_key_offset(strict.data, strict.size);

        (void)state;
        assert_int_equal(call_payload_raw(&raw, strict.data, strict.size), 0);
        assert_memory_equal(raw.data + offset, "\"ssl_key\":", 10);
        assert_true(offset > 2000 && memmem(strict.data, offset, "ssl_key", 7) == NULL);
        assert_int_equal(call_key_offset("{}", 2), 0);
        assert_int_equal(call_key_offset("", 0), 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_fingerprint_is_a_sha256_in_lower_case),
                cmocka_unit_test(test_the_fingerprint_does_not_depend_on_the_key),
                cmocka_unit_test(test_the_fingerprint_depends_on_each_certificate_and_its_place),
                cmocka_unit_test(test_the_payload_holds_the_set_in_order_with_the_key_last),
                cmocka_unit_test(test_the_strict_form_is_one_line_of_printable_characters),
                cmocka_unit_test(test_the_raw_form_differs_only_in_its_line_ends),
                cmocka_unit_test(test_no_byte_of_the_key_stands_before_its_offset_in_either_form),
                cmocka_unit_test(test_only_escaped_line_ends_are_converted),
        };

        if (argc != 2)
                return 2;
        root = realpath(argv[1], NULL); /* paths of a configuration are absolute */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
