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
                        "PKCS#12; openssl pkcs12 -in IN -nokeys "},
                {MATERIAL_KEY, BYTES("\x30\x82\x01\x02\x02\x01\x03\x30\x82"),
                        "PKCS#12; openssl pkcs12 -in IN -nocerts "},
                {MATERIAL_CA, BYTES("\x30\x82\x01\x02\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
                        "PKCS#7 in DER; openssl pkcs7 "},
                {MATERIAL_CA, BYTES("-----BEGIN PKCS7-----\nM"), "PKCS#7; openssl pkcs7 "},
                {MATERIAL_KEY, BYTES("$ANSIBLE_VAULT;1.1;AES256\n62"), "a file encrypted by "},
                {MATERIAL_KEY, BYTES("-----BEGIN PRIVATE KEY-----\\nMII"), "one line with \\n "},
                {MATERIAL_CERT, BYTES("-----BEGIN CERTIFICATE REQUEST-----\nM"), "a request, "},
                {MATERIAL_KEY, BYTES("-----BEGIN CERTIFICATE-----\nM"), "a certificate; "},
                {MATERIAL_CERT, BYTES("-----BEGIN RSA PRIVATE KEY-----\nM"), "a private key; "},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *text = foreign_format_of(cases[i].file, cases[i].data, cases[i].size);

                assert_non_null(text);
                if (strncmp(text, cases[i].begin, strlen(cases[i].begin)) != 0)
                        fail_msg("%s: %s", cases[i].begin, text);
        }
}

static void test_other_content_is_not_named(void **state)
{
        static const char text[] = "There will be a block here one day.\n";

        assert_null(foreign_format_of(MATERIAL_CA, text, strlen(text)));
        assert_null(foreign_format_of(MATERIAL_CA, "", 0));
        assert_null(foreign_format_of(MATERIAL_CA, "0", 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_format_has_its_command),
                cmocka_unit_test(test_other_content_is_not_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
