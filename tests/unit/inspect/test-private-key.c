/*
 * The fault that is found in each key of tests/pki, and none in good ones; also when an allocation
 * of OpenSSL fails (CRYPTO_set_mem_functions(3)).
 */

#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/inspect/pem.h"
#include "daemon/inspect/private-key.h"
#include "tests/unit/openssl-memory.h"
#include "tests/unit/pem-fixture.h"

static const char *fault_of(const char *fixture)
{
        CLEANUP(pem_done) Pem pem = pem_fixture_load(fixture);
        const char *fault = "none was set";

        assert_int_equal(private_key_check(&fault, pem.key, X509_get0_pubkey(pem_leaf(&pem))), 0);
        return fault;
}

static void test_a_key_whose_numbers_belong_together_has_no_fault(void **state)
{
        static const char *const fixtures[] = {"good", "good-pkcs1-key", "good-other",
                "good-d-modulo-lambda", "good-d-modulo-phi", "good-smaller-prime-first",
                "good-three-primes", "good-ec", "good-ec-without-public", "key-bits"};

        for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
                const char *fault = fault_of(fixtures[i]);

                if (fault)
                        fail_msg("%s: %s", fixtures[i], fault);
        }
}

static void test_each_damaged_number_is_the_one_that_is_named(void **state)
{
        static const struct {
                const char *fixture;
                const char *fault;
        } cases[] = {
                {"key-damaged-d", "(d)"},
                {"key-damaged-d-pkcs1", "(d)"},
                {"key-damaged-d-zero", "(e, d)"},
                {"key-damaged-d-above-n", "(e, d)"},
                {"key-damaged-e-one", "(e, d)"},
                {"key-damaged-n-even", "(p, q)"},
                {"key-damaged-p", "(p, q)"},
                {"key-damaged-q", "(p, q)"},
                {"key-damaged-p-even", "(p, q)"},
                {"key-damaged-p-one", "(p, q)"},
                {"key-damaged-q-one", "(p, q)"},
                {"key-damaged-primes-zero", "(p, q)"},
                {"key-damaged-other", "(p, q)"},
                {"key-damaged-primes-exchanged", "(dmp1, dmq1)"},
                {"key-damaged-dmp1", "(dmp1, dmq1)"},
                {"key-damaged-dmq1", "(dmp1, dmq1)"},
                {"key-damaged-third-exponent", "(dmp1, dmq1)"},
                {"key-damaged-iqmp", "(iqmp)"},
                {"key-damaged-iqmp-above-p", "(iqmp)"},
                {"key-damaged-third-coefficient", "(iqmp)"},
                {"key-damaged-prime-composite", "signature"},
                {"key-damaged-ec-scalar", "scalar"},
                {"key-damaged-ec-scalar-zero", "scalar"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *fault = fault_of(cases[i].fixture);

                if (!fault || !strstr(fault, cases[i].fault))
                        fail_msg("%s: wanted %s, found %s", cases[i].fixture, cases[i].fault,
                                fault ? fault : "no fault");
        }
}

static void test_a_signature_is_verified_with_the_key_of_the_certificate(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good");
        CLEANUP(pem_done) Pem other = pem_fixture_load("good-other");
        const char *fault = NULL;

        assert_int_equal(private_key_check(&fault, good.key, other.key), 0);
        assert_non_null(strstr(fault, "signature"));
}

/* Checks the key with one failing allocation after the other. Returns the number of checks that
 * reported it. */
static unsigned check_without_memory(const char *fixture)
{
        CLEANUP(pem_done) Pem pem = pem_fixture_load(fixture);
        EVP_PKEY *certified = X509_get0_pubkey(pem_leaf(&pem));
        unsigned n_reported = 0;
        bool reached = true;

        for (unsigned failing = 1; reached; failing++) {
                const char *fault = NULL;
                int r;

                openssl_memory_fail(failing);
                r = private_key_check(&fault, pem.key, certified);
                reached = openssl_memory_reached(failing);
                if (r == -ENOMEM)
                        n_reported++;
                else if (r != 0 || !fault)
                        fail_msg("%s passes without allocation %u", fixture, failing);
        }
        return n_reported;
}

static void test_no_damaged_key_passes_for_want_of_memory(void **state)
{
        static const char *const fixtures[] = {"key-damaged-d", "key-damaged-p", "key-damaged-dmp1",
                "key-damaged-iqmp", "key-damaged-prime-composite", "key-damaged-ec-scalar"};

        for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++)
                assert_true(check_without_memory(fixtures[i]) > 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_key_whose_numbers_belong_together_has_no_fault),
                cmocka_unit_test(test_each_damaged_number_is_the_one_that_is_named),
                cmocka_unit_test(test_a_signature_is_verified_with_the_key_of_the_certificate),
                cmocka_unit_test(test_no_damaged_key_passes_for_want_of_memory),
        };

        if (argc != 2 || !openssl_memory_install())
                return 2;
        pem_fixture_set_root(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
