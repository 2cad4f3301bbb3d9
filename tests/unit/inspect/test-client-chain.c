/* Which certificate of a file is the client's, and which are not sent. */

#include "tests/unit/test.h"

#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/inspect/client-chain.h"
#include "tests/pki/authority.h"

#define CERTIFICATES_MAX 4
#define NOW              INT64_C(1801490709)

static Authority authority;

typedef struct Certified {
        enum {
                NONE,
                OWN,      /* of the client's key */
                OTHER,    /* of another key */
                CA,       /* a CA of the client's key */
                STRANGER, /* of the client's key, by a CA that is in no file */
        } kind;
        int begin, end; /* days from now */
} Certified;

static X509 *issue(const Certified *certified)
{
        Request request = authority_client_request(&authority);

        request.not_before = certified->begin * AUTHORITY_DAY;
        request.not_after = certified->end * AUTHORITY_DAY;
        if (certified->kind == OTHER)
                request.key = authority.other_client_key;
        if (certified->kind == STRANGER) {
                request.issuer = authority.intermediate;
                request.issuer_key = authority.intermediate_key;
        }
        if (certified->kind == CA)
                request.extensions = AUTHORITY_CA_EXTENSIONS;
        return authority_issue(&authority, &request);
}

/* The caller frees it with done(). */
static ClientChain make(const Certified certificates[static CERTIFICATES_MAX], EVP_PKEY *key)
{
        ClientChain files = {sk_X509_new_null(), sk_X509_new_null(), key};

        assert_true(X509_up_ref(authority.ca) == 1);
        assert_true(sk_X509_push(files.authorities, authority.ca) > 0);
        for (unsigned i = 0; i < CERTIFICATES_MAX && certificates[i].kind != NONE; i++)
                assert_true(sk_X509_push(files.chain, issue(&certificates[i])) > 0);
        return files;
}

static void done(ClientChain *files)
{
        sk_X509_pop_free(files->chain, X509_free);
        sk_X509_pop_free(files->authorities, X509_free);
}

static void test_the_longest_of_the_valid_ones_of_the_key_is_the_clients(void **state)
{
        static const struct {
                Certified certificates[CERTIFICATES_MAX];
                int leaf;
        } cases[] = {
                {{{OTHER, -1, 9}}, -1},
                {{{OWN, -9, -1}}, 0},
                {{{OWN, -9, -1}, {OWN, -1, 9}}, 1},
                {{{OWN, -1, 9}, {OWN, -9, -1}}, 0},
                {{{OWN, -9, 1}, {OWN, -1, 9}}, 1},
                {{{OWN, -9, 1}, {OWN, 1, 9}}, 0},  /* its time has not come */
                {{{OWN, -9, -1}, {OWN, 1, 9}}, 1}, /* it will come */
                {{{OWN, -9, -2}, {OWN, -9, -1}}, 1},
                {{{OWN, -1, 9}, {OWN, -1, 9}}, 0},
                {{{OTHER, -1, 99}, {OWN, -9, -1}, {OWN, -1, 9}}, 2},
                {{{CA, -1, 99}, {OWN, -9, -1}}, 1},
                {{{OWN, -1, 9}, {STRANGER, -1, 99}}, 0},
                {{{OWN, -9, -1}, {STRANGER, -1, 99}}, 1},
                {{{STRANGER, -1, 9}, {STRANGER, -1, 99}}, 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                ClientChain files = make(cases[i].certificates, authority.client_key);
                int found = client_chain_find(&files, NOW * USEC_PER_SEC);

                if (found != cases[i].leaf)
                        fail_msg("%zu: wanted %d, found %d", i, cases[i].leaf, found);
                done(&files);
        }
}

static void test_what_is_replaced_is_named_and_not_sent(void **state)
{
        static const Certified certificates[CERTIFICATES_MAX] = {
                {OWN, -9, -1}, {OTHER, -1, 9}, {OWN, -1, 9}, {OWN, 1, 8}};
        ClientChain files = make(certificates, authority.client_key);
        X509 *other = sk_X509_value(files.chain, 1), *leaf = sk_X509_value(files.chain, 2);
        Report report = {0};

        client_chain_order(&files, "/cert", &report, NOW * USEC_PER_SEC);
        assert_int_equal(sk_X509_num(files.chain), 2);
        assert_ptr_equal(sk_X509_value(files.chain, 0), leaf);
        assert_ptr_equal(sk_X509_value(files.chain, 1), other);
        assert_int_equal(report.n_problems, 2);
        assert_false(report.failed);
        assert_int_equal(report.problems[0].rule, RULE_PEM_IGNORED);
        assert_non_null(strstr(report.problems[0].text,
                "/cert: certificate 1 of the file is not sent: certificate 3 has the same key and "
                "is valid until "));
        assert_non_null(strstr(report.problems[0].text, ", this one expired at "));
        assert_non_null(strstr(report.problems[1].text, "certificate 4 of the file is not sent"));
        assert_int_equal(report.next_boundary_usec, (NOW + AUTHORITY_DAY) * USEC_PER_SEC);
        done(&files);
}

static void test_without_a_certificate_of_the_key_all_stay(void **state)
{
        static const Certified certificates[CERTIFICATES_MAX] = {{OWN, -9, -1}, {OWN, -1, 9}};
        ClientChain files = make(certificates, authority.other_client_key);
        X509 *first = sk_X509_value(files.chain, 0);
        Report report = {0};

        client_chain_order(&files, "/cert", &report, NOW * USEC_PER_SEC);
        files.key = NULL;
        client_chain_order(&files, "/cert", &report, NOW * USEC_PER_SEC);
        assert_int_equal(sk_X509_num(files.chain), 2);
        assert_ptr_equal(sk_X509_value(files.chain, 0), first);
        assert_int_equal(report.n_problems, 0);
        done(&files);
}

/* They are sent once, and count in the fingerprint of older versions. */
static void test_equal_certificates_stay(void **state)
{
        static const Certified certificates[CERTIFICATES_MAX] = {{OWN, -1, 9}};
        ClientChain files = make(certificates, authority.client_key);
        Report report = {0};

        assert_true(sk_X509_push(files.chain, X509_dup(sk_X509_value(files.chain, 0))) > 0);
        client_chain_order(&files, "/cert", &report, NOW * USEC_PER_SEC);
        assert_int_equal(sk_X509_num(files.chain), 2);
        assert_int_equal(report.n_problems, 0);
        done(&files);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_longest_of_the_valid_ones_of_the_key_is_the_clients),
                cmocka_unit_test(test_what_is_replaced_is_named_and_not_sent),
                cmocka_unit_test(test_without_a_certificate_of_the_key_all_stay),
                cmocka_unit_test(test_equal_certificates_stay),
        };
        int r;

        authority_init(&authority, NOW);
        r = cmocka_run_group_tests(tests, NULL, NULL);
        authority_done(&authority);
        return r;
}
