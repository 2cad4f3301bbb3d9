#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "common/macro.h"
#include "common/redact.h"

#define LINE_1 "MIIEpAIBAAKCAQEAtkBoNbN3zLJyxMbDS8vMzUhIRmTbKm5zkkZUxaMSVAkSbTlD"
#define LINE_2 "nK0qjN4iPmPZ5dVpOcvTtlBuW3HbL3IhmqTYnUdEJH/4PpFUB0kq+K1oPzZNqg=="
#define PEM                                                      \
        "-----BEGIN RSA PRIVATE KEY-----\\n" LINE_1 "\\n" LINE_2 \
        "\\n-----END RSA PRIVATE KEY-----\\n"

static void make(Redactor *redactor, const char *secret, bool pem)
{
        CLEANUP(secret_done) Secret text = SECRET_NULL;

        *redactor = REDACTOR_NULL;
        assert_int_equal(secret_append(&text, secret, strlen(secret)), 0);
        assert_int_equal(pem ? redactor_set_pem(redactor, secret, strlen(secret))
                             : redactor_set_text(redactor, &text),
                0);
}

static void expect(const char *secret, bool pem, bool cut, const char *text, const char *expected)
{
        CLEANUP(redactor_done) Redactor redactor = REDACTOR_NULL;
        char buffer[512];

        make(&redactor, secret, pem);
        assert_true(strlen(text) < sizeof(buffer));
        strcpy(buffer, text);
        redactor_apply(&redactor, buffer, cut);
        assert_string_equal(buffer, expected);
}

static void test_a_password_is_redacted_and_the_rest_is_kept(void **state)
{
        expect("Tr0ub4dor&3", false, false, "denied, password 'Tr0ub4dor&3' (and Tr0ub4dor&3)",
                "denied, password '***********' (and ***********)");
        expect("Tr0ub4dor&3", false, false, "Tr0ub4dor&", "Tr0ub4dor&");
        expect("importer of the stand-in", false, false, "user 'ssl_importer'@'%'",
                "user 'ssl_importer'@'%'");
}

/* The two last characters differ only in their second byte. */
static void test_a_character_is_redacted_whole(void **state)
{
        expect("correct horse batter\xc3\xa8", false, false, "say correct horse batter\xc3\xa9!",
                "say **********************!");
        expect("\xc5\xa9 correct horse battery", false, false, "\xc3\xa9 correct horse, \xc3\xa9",
                "\xc3\xa9 correct horse, \xc3\xa9");
        expect("\xc5\xa9 correct horse battery", false, false,
                "\xc3\xa9 correct horse battery \xc3\xa9", "************************ \xc3\xa9");
}

static void test_several_texts_are_redacted(void **state)
{
        CLEANUP(redactor_done) Redactor redactor = REDACTOR_NULL;
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        char text[] = "old Tr0ub4dor&3, new correct-horse-battery, &3corr, abc, r&3";

        assert_int_equal(secret_append(&secret, "Tr0ub4dor&3", 11), 0);
        assert_int_equal(redactor_add_text(&redactor, &secret), 0);
        secret_done(&secret);
        assert_int_equal(secret_append(&secret, "abc", 3), 0); /* too short */
        assert_int_equal(redactor_add_text(&redactor, &secret), 0);
        secret_done(&secret);
        assert_int_equal(secret_append(&secret, "correct-horse-battery", 21), 0);
        assert_int_equal(redactor_add_text(&redactor, &secret), 0);
        redactor_apply(&redactor, text, false);
        assert_string_equal(text, "old ***********, new *********************, &3corr, abc, r&3");
}

static void test_a_part_of_a_long_password_is_redacted(void **state)
{
        const char *token = "AKIA0123456789abcdefghijklmnopqrstuvwxyz";

        expect(token, false, false, "bad: 89abcdefghijklmno", "bad: *****************");
        expect(token, false, false, "bad: 89abcdefghijklm", "bad: 89abcdefghijklm");
        /* One byte of the run differs. */
        expect(token, false, false, "bad: 89abcdefXhijklmnopqr", "bad: 89abcdefXhijklmnopqr");
}

static void test_fewer_bytes_are_enough_at_the_end_of_a_cut_text(void **state)
{
        expect("Tr0ub4dor&3", false, true, "denied, password 'Tr0ub", "denied, password '*****");
        expect("Tr0ub4dor&3", false, true, "denied, password 'Tr0", "denied, password 'Tr0");
        expect("Tr0ub4dor&3", false, true, "'Tr0ub' is in the middle", "'Tr0ub' is in the middle");
}

static void test_too_short_a_secret_redacts_nothing(void **state)
{
        CLEANUP(redactor_done) Redactor none = REDACTOR_NULL;
        char text[] = "a text";

        expect("a t", false, true, "a text", "a text");
        expect("", false, true, "a text", "a text");
        expect("", true, true, "a text", "a text");
        redactor_apply(&none, text, true);
        assert_string_equal(text, "a text");
}

static void test_a_key_is_redacted_with_any_line_ends(void **state)
{
        static const char *const between[] = {"\\n", "\n", "\r\n", " ", "", "\\r\\n"};

        for (size_t i = 0; i < ARRAY_SIZE(between); i++) {
                CLEANUP(redactor_done) Redactor redactor = REDACTOR_NULL;
                char text[512];

                make(&redactor, PEM, true);
                snprintf(text, sizeof(text), "near '%s%s%s' at 1", &LINE_1[40], between[i], LINE_2);
                redactor_apply(&redactor, text, false);
                assert_null(strstr(text, "zz"));
                for (const char *byte = &LINE_1[40]; byte[3] != '\0'; byte++)
                        assert_null(memmem(text, strlen(text), byte, 4));
                for (const char *byte = LINE_2; byte[3] != '\0'; byte++)
                        assert_null(memmem(text, strlen(text), byte, 4));
                assert_memory_equal(text, "near '*", 7);
                assert_non_null(strstr(text, "*' at 1"));
        }
}

static void test_words_that_a_key_contains_are_kept(void **state)
{
        expect(PEM, true, false, "ssl_key must be an RSA PRIVATE KEY.",
                "ssl_key must be an RSA PRIVATE KEY.");
        expect(PEM, true, false, "between -----BEGIN and END, MIIEpAIBAAK",
                "between -----BEGIN and END, MIIEpAIBAAK");
        expect(PEM, true, false, "MIIEpAIBAAKC", "************");
}

static void test_the_raw_form_makes_the_same_redactor(void **state)
{
        expect("x\n" LINE_1 "\n" LINE_2 "\n", true, false, "'" LINE_1 "\\n" LINE_2 "'",
                "'****************************************************************\\n"
                "****************************************************************'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_password_is_redacted_and_the_rest_is_kept),
                cmocka_unit_test(test_a_character_is_redacted_whole),
                cmocka_unit_test(test_several_texts_are_redacted),
                cmocka_unit_test(test_a_part_of_a_long_password_is_redacted),
                cmocka_unit_test(test_fewer_bytes_are_enough_at_the_end_of_a_cut_text),
                cmocka_unit_test(test_too_short_a_secret_redacts_nothing),
                cmocka_unit_test(test_a_key_is_redacted_with_any_line_ends),
                cmocka_unit_test(test_words_that_a_key_contains_are_kept),
                cmocka_unit_test(test_the_raw_form_makes_the_same_redactor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
