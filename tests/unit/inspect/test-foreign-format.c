/* What is nearly a PEM file is named, with the command that makes one of it. */

#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/inspect/foreign-format.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static void test_each_format_has_its_command(void **state)
{
        static const struct {
                MaterialFile file;
                const char *data;
                size_t size;
                const char *begin;
        } cases[] = {
                {MATERIAL_CA, BYTES("\xff\xfe-\0-\0"), "UTF-16 text; iconv "},
                {MATERIAL_CERT, BYTES("\xfe\xff\0-\0-"), "UTF-16 text; iconv "},
                {MATERIAL_CERT, BYTES("\x30\x82\x01\x02\x30\x82"), "DER; openssl x509 "},
                {MATERIAL_KEY, BYTES("\x30\x82\x01\x02\x02\x01\0"), "DER; openssl pkey "},
                {MATERIAL_CERT, BYTES("\x30\x82\x01\x02\x02\x01\x03\x30\x82"),
                        "PKCS#12; openssl pkcs12 -in /m/a.pem -nokeys -out OUT"},
                {MATERIAL_KEY, BYTES("\x30\x82\x01\x02\x02\x01\x03\x30\x82"),
                        "PKCS#12; openssl pkcs12 -in /m/a.pem -nocerts -noenc -out OUT"},
                {MATERIAL_CA, BYTES("\x30\x82\x01\x02\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
                        "PKCS#7 in DER; openssl pkcs7 "},
                {MATERIAL_CA, BYTES("-----BEGIN PKCS7-----\nM"), "PKCS#7; openssl pkcs7 "},
                {MATERIAL_KEY, BYTES("$ANSIBLE_VAULT;1.1;AES256\n62"), "a file encrypted by "},
                {MATERIAL_CA, BYTES("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUQ="),
                        "base64 of a PEM file, as a Secret of Kubernetes holds it; base64 -d "
                        "/m/a.pem > OUT"},
                {MATERIAL_KEY, BYTES("-----BEGIN PRIVATE KEY-----\\nMII"), "one line with \\n "},
                {MATERIAL_CERT, BYTES("-----BEGIN CERTIFICATE REQUEST-----\nM"), "a request, "},
                {MATERIAL_KEY, BYTES("-----BEGIN CERTIFICATE-----\nM"), "a certificate; "},
                {MATERIAL_CERT, BYTES("-----BEGIN RSA PRIVATE KEY-----\nM"), "a private key; "},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[256];

                assert_true(foreign_format_describe(text, sizeof(text), cases[i].file, "/m/a.pem",
                        cases[i].data, cases[i].size));
                if (strncmp(text, cases[i].begin, strlen(cases[i].begin)) != 0)
                        fail_msg("%s: %s", cases[i].begin, text);
        }
}

static void test_the_command_can_be_copied(void **state)
{
        char text[512], path[256];

        assert_true(foreign_format_describe(
                text, sizeof(text), MATERIAL_CERT, "/m y/a.pem", BYTES("\xff\xfe-\0-\0")));
        assert_string_equal(text, "UTF-16 text; iconv -f UTF-16 -t UTF-8 -o OUT '/m y/a.pem'");
        memset(path, 'a', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        assert_true(foreign_format_describe(
                text, sizeof(text), MATERIAL_CERT, path, BYTES("\xff\xfe-\0-\0")));
        assert_string_equal(text, "UTF-16 text; iconv -f UTF-16 -t UTF-8 -o OUT IN");
}

static void test_other_content_is_not_named(void **state)
{
        static const char *const texts[] = {"There will be a block here one day.\n", "", "0"};
        char text[256];

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_false(foreign_format_describe(
                        text, sizeof(text), MATERIAL_CA, "/m", texts[i], strlen(texts[i])));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_format_has_its_command),
                cmocka_unit_test(test_the_command_can_be_copied),
                cmocka_unit_test(test_other_content_is_not_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
