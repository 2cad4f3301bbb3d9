#include "tests/unit/test.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "common/clock.h"
#include "daemon/presented.h"

#define HOST "orders.example.org"

static Presented presented;
static PresentedFault fault;
static X509 *leaf;

/* Unsigned: who signed is OpenSSL's to find out, and comes here as a fault. */
static int make(void **state)
{
        X509_NAME *name;

        (void)state;
        presented = (Presented){0};
        fault = (PresentedFault){0};
        leaf = X509_new();
        assert_non_null(leaf);
        name = X509_get_subject_name(leaf);
        assert_true(X509_NAME_add_entry_by_txt(
                name, "CN", MBSTRING_ASC, (const unsigned char *)HOST, -1, -1, 0));
        name = X509_get_issuer_name(leaf);
        assert_true(X509_NAME_add_entry_by_txt(
                name, "CN", MBSTRING_ASC, (const unsigned char *)"Some CA", -1, -1, 0));
        assert_non_null(ASN1_TIME_set(X509_getm_notBefore(leaf), 1000000000));
        assert_non_null(ASN1_TIME_set(X509_getm_notAfter(leaf), 2000000000));
        return 0;
}

static int drop(void **state)
{
        (void)state;
        X509_free(leaf);
        return 0;
}

static void have_names(const char *names)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

        assert_non_null(extension);
        assert_true(X509_add_ext(leaf, extension, -1));
        X509_EXTENSION_free(extension);
}

static void take(const char *host)
{
        presented_take(&presented, leaf, &fault, host, "/etc/bundle.pem");
}

static void expect(PresentedVerdict verdict, const char *reason, const char *advice)
{
        char buffer[640];

        assert_int_equal(presented.verdict, verdict);
        assert_non_null(strstr(presented.reason, reason));
        presented_advise(buffer, sizeof(buffer), &presented, "/etc/bundle.pem");
        assert_non_null(strstr(buffer, advice));
        assert_int_equal(buffer[0] == '\0', advice[0] == '\0');
}

static void test_a_certificate_is_described(void **state)
{
        (void)state;
        have_names("IP:10.9.8.7,DNS:" HOST ",email:a@example.org,IP:2001:db8::1,DNS:*.example.org");
        take(HOST);
        expect(PRESENTED_VERIFIED, "", "");
        assert_string_equal(presented.reason, "");
        assert_string_equal(presented.subject, "CN = " HOST);
        assert_string_equal(presented.issuer, "CN = Some CA");
        assert_int_equal(presented.not_before_usec, UINT64_C(1000000000) * USEC_PER_SEC);
        assert_int_equal(presented.not_after_usec, UINT64_C(2000000000) * USEC_PER_SEC);
        assert_int_equal(presented.n_names, 4);
        assert_string_equal(presented.names[0], HOST);
        assert_string_equal(presented.names[1], "*.example.org");
        assert_string_equal(presented.names[2], "10.9.8.7");
        assert_string_equal(presented.names[3], "2001:db8::1");
}

static void test_the_common_name_counts_where_there_is_no_other(void **state)
{
        (void)state;
        have_names("IP:10.9.8.7");
        take(HOST);
        expect(PRESENTED_VERIFIED, "", "");
        assert_string_equal(presented.names[0], HOST);
        drop(state);
        make(state);
        have_names("DNS:other.example.org");
        take(HOST);
        expect(PRESENTED_OTHER_HOST,
                "the certificate is for other.example.org; host is orders.example.org",
                "host must be one of: other.example.org");
}

static void test_a_host_may_be_an_address_or_below_a_wildcard(void **state)
{
        static const struct {
                const char *host;
                PresentedVerdict verdict;
        } cases[] = {
                {"10.9.8.7", PRESENTED_VERIFIED},
                {"10.9.8.8", PRESENTED_OTHER_HOST},
                {"A.EXAMPLE.ORG", PRESENTED_VERIFIED},
                {"a.b.example.org", PRESENTED_OTHER_HOST},
                {"example.org", PRESENTED_OTHER_HOST},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                drop(state);
                make(state);
                have_names("DNS:*.example.org,IP:10.9.8.7");
                take(cases[i].host);
                assert_int_equal(presented.verdict, cases[i].verdict);
        }
}

static void test_names_that_have_no_room_are_counted(void **state)
{
        char list[1024] = "", names[100];

        (void)state;
        for (unsigned i = 0; i < 20; i++)
                snprintf(list + strlen(list), sizeof(list) - strlen(list), "%sDNS:db%u.example.org",
                        i > 0 ? "," : "", i);
        have_names(list);
        take("db19.example.org");
        expect(PRESENTED_VERIFIED, "", ""); /* those that are not kept count all the same */
        assert_int_equal(presented.n_names, 20);
        assert_string_equal(presented.names[PRESENTED_NAMES_MAX - 1], "db7.example.org");
        assert_string_equal(presented_names(names, sizeof(names), &presented),
                "db0.example.org, db1.example.org, db2.example.org, db3.example.org and 16 more");
        presented.n_names = 0;
        assert_string_equal(presented_names(names, sizeof(names), &presented), "no host at all");
}

static void test_a_name_with_control_characters_is_made_harmless(void **state)
{
        (void)state;
        have_names("DNS:a\x1b[31m.example.org");
        take(HOST);
        assert_string_equal(presented.names[0], "a [31m.example.org");
}

static void fail_with(int error, int depth)
{
        presented_take_fault(&fault, error, depth, leaf);
        take(HOST);
}

static void test_what_openssl_stumbled_over_is_told(void **state)
{
        static const struct {
                int error, depth;
                PresentedVerdict verdict;
                const char *reason, *advice;
        } cases[] = {
                {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0, PRESENTED_UNTRUSTED,
                        "unable to get local issuer certificate: the issuer CN = Some CA is not in "
                        "server-ca",
                        "server-ca lacks the issuer CN = Some CA"},
                {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, 1, PRESENTED_UNTRUSTED,
                        "the issuer CN = Some CA is not in server-ca",
                        "server-ca lacks the issuer CN = Some CA"},
                {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0, PRESENTED_UNTRUSTED,
                        "the certificate is its own issuer", "server-ca lacks"},
                {X509_V_ERR_CERT_HAS_EXPIRED, 0, PRESENTED_EXPIRED,
                        "the certificate CN = " HOST " expired at 2033-05-18 03:33:20Z",
                        "the server's certificate expired on 2033-05-18"},
                {X509_V_ERR_CERT_HAS_EXPIRED, 1, PRESENTED_EXPIRED,
                        "the authority CN = " HOST " expired at 2033-05-18",
                        "the authority CN = " HOST " is over"},
                {X509_V_ERR_CERT_NOT_YET_VALID, 0, PRESENTED_NOT_YET_VALID,
                        "begins at 2001-09-09 01:46:40Z", "clock"},
                {X509_V_ERR_INVALID_PURPOSE, 0, PRESENTED_OTHER_PURPOSE, "serverAuth",
                        "serverAuth"},
                {X509_V_ERR_EE_KEY_TOO_SMALL, 0, PRESENTED_REFUSED,
                        "EE certificate key too weak: the certificate CN = " HOST, ""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                drop(state);
                make(state);
                fail_with(cases[i].error, cases[i].depth);
                expect(cases[i].verdict, cases[i].reason, cases[i].advice);
        }
}

static void test_an_authority_of_the_same_name_is_told_apart(void **state)
{
        (void)state;
        presented_take_fault(&fault, X509_V_ERR_CERT_SIGNATURE_FAILURE, 0, leaf);
        fault.namesake = true;
        take(HOST);
        expect(PRESENTED_UNTRUSTED,
                "server-ca has an authority named CN = Some CA, but another of that name signed",
                "server-ca lacks the issuer CN = Some CA");
}

static void test_without_server_ca_it_is_the_system_that_trusts(void **state)
{
        char advice[256];

        (void)state;
        presented_take_fault(&fault, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0, leaf);
        presented_take(&presented, leaf, &fault, HOST, "");
        presented_advise(advice, sizeof(advice), &presented, "");
        assert_non_null(strstr(presented.reason, "is not in the system's trust store"));
        assert_non_null(strstr(advice, "the system's trust store lacks the issuer"));
}

static void test_a_fault_without_a_certificate_is_one_all_the_same(void **state)
{
        (void)state;
        presented_take_fault(&fault, X509_V_ERR_UNSPECIFIED, 0, NULL);
        take(HOST);
        assert_int_equal(presented.verdict, PRESENTED_REFUSED);
        assert_string_not_equal(presented.reason, "");
}

#define presented_test(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
        const struct CMUnitTest tests[] = {
                presented_test(test_a_certificate_is_described),
                presented_test(test_the_common_name_counts_where_there_is_no_other),
                presented_test(test_a_host_may_be_an_address_or_below_a_wildcard),
                presented_test(test_names_that_have_no_room_are_counted),
                presented_test(test_a_name_with_control_characters_is_made_harmless),
                presented_test(test_what_openssl_stumbled_over_is_told),
                presented_test(test_an_authority_of_the_same_name_is_told_apart),
                presented_test(test_without_server_ca_it_is_the_system_that_trusts),
                presented_test(test_a_fault_without_a_certificate_is_one_all_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
