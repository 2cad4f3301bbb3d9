#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/inspect/pem-boundary.h"

#define LINE  "MIIDazCCAlOgAwIBAgIUQ0FBQUFBQUFBQUFBQUFBQUFBQUEwDQYJKoZIhvcNAQEL\n"
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"
#define GOOD  BEGIN LINE "QUJD\n" END

static PemIgnored find(MaterialFile file, const char *text)
{
        PemIgnored ignored;

        pem_boundary_find(&ignored, file, text, strlen(text));
        return ignored;
}

static void test_what_tools_write_is_read_or_a_comment(void **state)
{
        static const char *const texts[] = {
                "", "\n", GOOD, GOOD GOOD, "\xef\xbb\xbf" GOOD,
                "-----BEGIN CERTIFICATE-----  \r\n" LINE "-----END CERTIFICATE-----\r\n",
                "subject=CN = a\nissuer=CN = b\n" GOOD,
                "Certificate:\n    Data:\n        Version: 3 (0x2)\n            00:aa:bb\n" GOOD,
                "The CA\n==================\n\n- -- --- BEGIN, END\n\n" GOOD,
                "Bag Attributes\n    localKeyID: 01 02\n" GOOD,
                GOOD "-----BEGIN RSA PRIVATE KEY-----\n" LINE "-----END RSA PRIVATE KEY-----\n",
                "-----BEGIN DH PARAMETERS-----\n" LINE "-----END DH PARAMETERS-----\n" GOOD,
                "-----BEGIN X509 CERTIFICATE-----\n" LINE "-----END X509 CERTIFICATE-----\n",
                "Some Root CA\n============\n" GOOD "depth=0 CN = a\n---\n<ca>\n" GOOD "</ca>\n",
                "Alias name: a\nEntry type: trustedCertEntry\n" GOOD "\n*****\n*****\n",
                "Key Attributes: <No Attributes>\n" GOOD "    {indented\n",
                BEGIN LINE, /* cut short: an error of another rule */
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                PemIgnored ignored = find(MATERIAL_CA, texts[i]);

                if (ignored.n != 0)
                        fail_msg("%zu: line %u: %s", i, ignored.line, ignored.reason);
        }
}

static void test_a_block_that_is_not_read_is_named(void **state)
{
        static const struct {
                const char *text, *reason;
                unsigned line, n;
        } cases[] = {
                {GOOD "  " BEGIN "  " LINE "  " END, "indented", 5, 1},
                {GOOD "\t" BEGIN "\t" LINE "\t" END, "indented", 5, 1},
                {GOOD "----BEGIN CERTIFICATE----\n" LINE "----END CERTIFICATE----\n", "five dashes",
                        5, 1},
                {GOOD "-----BEGIN CERTIFICATE----\n" LINE END, "fewer dashes", 5, 1},
                {GOOD "-----BEGIN CERTIFICATE-----x\n" LINE END, "follows", 5, 1},
                {GOOD "\xef\xbb\xbf" GOOD, "byte order mark", 5, 1},
                {GOOD "x" GOOD, "precedes", 5, 1},
                {GOOD "-----BEGIN CERTIFICATE-----\\nMIID\\n-----END CERTIFICATE-----\n",
                        "written as \\n", 5, 1},
                {GOOD "-----BEGIN PKCS7-----\n" LINE "-----END PKCS7-----\n", "PKCS7", 5, 1},
                {GOOD "-----BEGIN TRUSTED CERTIFICATE-----\n" LINE
                      "-----END TRUSTED CERTIFICATE-----\n",
                        "TRUSTED CERTIFICATE", 5, 1},
                {GOOD LINE LINE END, "without a BEGIN", 5, 1},
                {GOOD "  " LINE "  " LINE, "without a BEGIN", 5, 1},
                {GOOD "<html>\n<head><title>404 Not Found</title></head>\n</html>\n" GOOD,
                        "an HTML or XML document", 5, 1},
                {"<!doctype html>\n" GOOD, "an HTML or XML document", 1, 1},
                {GOOD "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>\n",
                        "an HTML or XML document", 5, 1},
                {GOOD "{\"errors\":[\"permission denied\"]}\n", "a JSON object or a template", 5,
                        1},
                {GOOD "{{ with secret }}\n" LINE, "a JSON object or a template", 5, 1},
                {"  " BEGIN "  " LINE "  " END GOOD "x" GOOD, "indented", 1, 2},
                {"x" GOOD GOOD, "precedes", 1, 1},
                {"-----BEGIN CERTIFICATE-----\\nMIID\\n-----END CERTIFICATE-----\n" GOOD "x" GOOD,
                        "written as \\n", 1, 2},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                PemIgnored ignored = find(MATERIAL_CERT, cases[i].text);

                if (ignored.n != cases[i].n || ignored.line != cases[i].line ||
                        !strstr(ignored.reason, cases[i].reason))
                        fail_msg("%zu: %u, first in line %u: %s", i, ignored.n, ignored.line,
                                ignored.reason);
        }
}

static void test_in_a_key_file_only_a_broken_boundary_is_named(void **state)
{
        static const char key[] =
                "-----BEGIN PRIVATE KEY-----\n" LINE "-----END PRIVATE KEY-----\n";
        PemIgnored ignored = find(MATERIAL_KEY, GOOD "-----BEGIN PKCS7-----\n");

        assert_int_equal(ignored.n, 0);
        assert_int_equal(find(MATERIAL_KEY, key).n, 0);
        assert_int_equal(find(MATERIAL_KEY, LINE).n, 0);
        ignored = find(MATERIAL_KEY, "  -----BEGIN PRIVATE KEY-----\n  " LINE);
        assert_int_equal(ignored.n, 1);
        assert_string_equal(ignored.reason, "the block is indented");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_tools_write_is_read_or_a_comment),
                cmocka_unit_test(test_a_block_that_is_not_read_is_named),
                cmocka_unit_test(test_in_a_key_file_only_a_broken_boundary_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
