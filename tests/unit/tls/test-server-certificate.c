#include "tests/unit/test.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "common/clock.h"
#include "daemon/tls/server-certificate.h"

#define HOST "orders.example.org"

static ServerCertificate certificate;
static CertificateError error;
static X509 *leaf;

/* Unsigned: OpenSSL verifies the signature, and its result is passed in as an error. */
static int setup(void **state)
{
        X509_NAME *name;

        certificate = (ServerCertificate){0};
        error = (CertificateError){0};
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

static int teardown(void **state)
{
        X509_free(leaf);
        return 0;
}

static void add_names(const char *names)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

        assert_non_null(extension);
        assert_true(X509_add_ext(leaf, extension, -1));
        X509_EXTENSION_free(extension);
}

static void evaluate(const char *host)
{
        server_certificate_evaluate(&certificate, leaf, &error, host, "server-ca");
}

static void expect(CertificateResult result, const char *reason, const char *advice)
{
        char buffer[640];

        assert_int_equal(certificate.result, result);
        assert_non_null(strstr(certificate.reason, reason));
        server_certificate_advise(buffer, sizeof(buffer), &certificate, "/etc/bundle.pem");
        assert_non_null(strstr(buffer, advice));
        assert_int_equal(buffer[0] == '\0', advice[0] == '\0');
}

static void test_a_certificate_is_described(void **state)
{
        add_names("IP:10.9.8.7,DNS:" HOST ",email:a@example.org,IP:2001:db8::1,DNS:*.example.org");
        evaluate(HOST);
        expect(CERTIFICATE_VERIFIED, "", "");
        assert_string_equal(certificate.reason, "");
        assert_string_equal(certificate.subject, "CN = " HOST);
        assert_string_equal(certificate.issuer, "CN = Some CA");
        assert_int_equal(certificate.not_before_usec, UINT64_C(1000000000) * USEC_PER_SEC);
        assert_int_equal(certificate.not_after_usec, UINT64_C(2000000000) * USEC_PER_SEC);
        assert_int_equal(certificate.n_names, 4);
        assert_string_equal(certificate.names[0], HOST);
        assert_string_equal(certificate.names[1], "*.example.org");
        assert_string_equal(certificate.names[2], "10.9.8.7");
        assert_string_equal(certificate.names[3], "2001:db8::1");
}

static void test_the_common_name_counts_where_there_is_no_other(void **state)
{
        add_names("IP:10.9.8.7");
        evaluate(HOST);
        expect(CERTIFICATE_VERIFIED, "", "");
        assert_string_equal(certificate.names[0], HOST);
        teardown(state);
        setup(state);
        add_names("DNS:other.example.org");
        evaluate(HOST);
        expect(CERTIFICATE_OTHER_HOST,
                "the certificate is for other.example.org; host is orders.example.org",
                "host must be one of: other.example.org");
}

static void test_a_host_can_be_an_address_or_match_a_wildcard(void **state)
{
        static const struct {
                const char *host;
                CertificateResult result;
        } cases[] = {
                {"10.9.8.7", CERTIFICATE_VERIFIED},
                {"10.9.8.8", CERTIFICATE_OTHER_HOST},
                {"A.EXAMPLE.ORG", CERTIFICATE_VERIFIED},
                {"a.b.example.org", CERTIFICATE_OTHER_HOST},
                {"example.org", CERTIFICATE_OTHER_HOST},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                teardown(state);
                setup(state);
                add_names("DNS:*.example.org,IP:10.9.8.7");
                evaluate(cases[i].host);
                assert_int_equal(certificate.result, cases[i].result);
        }
}

static void test_names_beyond_the_limit_are_counted(void **state)
{
        char list[1024] = "", names[100];

        for (unsigned i = 0; i < 20; i++)
                snprintf(list + strlen(list), sizeof(list) - strlen(list), "%sDNS:db%u.example.org",
                        i > 0 ? "," : "", i);
        add_names(list);
        evaluate("db19.example.org");
        expect(CERTIFICATE_VERIFIED, "", ""); /* names that are not kept are matched too */
        assert_int_equal(certificate.n_names, 20);
        assert_string_equal(certificate.names[SERVER_CERTIFICATE_NAMES_MAX - 1], "db7.example.org");
        assert_string_equal(server_certificate_names(names, sizeof(names), &certificate),
                "db0.example.org, db1.example.org, db2.example.org, db3.example.org and 16 more");
        certificate.n_names = 0;
        assert_string_equal(
                server_certificate_names(names, sizeof(names), &certificate), "no host at all");
}

static void test_a_name_with_control_characters_is_made_harmless(void **state)
{
        add_names("DNS:a\x1b[31m.example.org");
        evaluate(HOST);
        assert_string_equal(certificate.names[0], "a [31m.example.org");
}

static void fail_with(int code, int depth)
{
        server_certificate_set_error(&error, code, depth, leaf);
        evaluate(HOST);
}

static void test_a_certificate_of_before_1970_has_expired(void **state)
{
        assert_non_null(ASN1_TIME_set(X509_getm_notBefore(leaf), -315619200));
        assert_non_null(ASN1_TIME_set(X509_getm_notAfter(leaf), -14159025));
        fail_with(X509_V_ERR_CERT_HAS_EXPIRED, 0);
        expect(CERTIFICATE_EXPIRED, "expired at 1970-01-01 or earlier",
                "expired on 1970-01-01 or earlier");
        assert_int_equal(certificate.not_before_usec, CLOCK_BEFORE_1970);
        assert_int_equal(certificate.not_after_usec, CLOCK_BEFORE_1970);
}

static void test_each_error_of_openssl_has_a_reason_and_a_next_step(void **state)
{
        static const struct {
                int code, depth;
                CertificateResult result;
                const char *reason, *advice;
        } cases[] = {
                {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0, CERTIFICATE_UNTRUSTED,
                        "unable to get local issuer certificate: the issuer CN = Some CA is not in "
                        "server-ca",
                        "server-ca lacks the CA that signed, CN = Some CA"},
                {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, 1, CERTIFICATE_UNTRUSTED,
                        "the issuer CN = Some CA is not in server-ca",
                        "server-ca lacks the CA that signed, CN = Some CA"},
                {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0, CERTIFICATE_UNTRUSTED,
                        "the certificate is its own issuer", "server-ca lacks"},
                {X509_V_ERR_CERT_HAS_EXPIRED, 0, CERTIFICATE_EXPIRED,
                        "the certificate CN = " HOST " expired at 2033-05-18 03:33:20Z",
                        "the server's certificate expired on 2033-05-18"},
                {X509_V_ERR_CERT_HAS_EXPIRED, 1, CERTIFICATE_EXPIRED,
                        "the authority CN = " HOST " expired at 2033-05-18",
                        "the authority CN = " HOST " has expired"},
                {X509_V_ERR_CERT_NOT_YET_VALID, 0, CERTIFICATE_NOT_YET_VALID,
                        "begins at 2001-09-09 01:46:40Z", "clock"},
                {X509_V_ERR_INVALID_PURPOSE, 0, CERTIFICATE_OTHER_PURPOSE, "serverAuth",
                        "serverAuth"},
                {X509_V_ERR_EE_KEY_TOO_SMALL, 0, CERTIFICATE_REFUSED,
                        "EE certificate key too weak: the certificate CN = " HOST, ""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                teardown(state);
                setup(state);
                fail_with(cases[i].code, cases[i].depth);
                expect(cases[i].result, cases[i].reason, cases[i].advice);
        }
}

static void test_another_authority_of_the_same_name_is_reported(void **state)
{
        server_certificate_set_error(&error, X509_V_ERR_CERT_SIGNATURE_FAILURE, 0, leaf);
        error.same_name = true;
        evaluate(HOST);
        expect(CERTIFICATE_UNTRUSTED,
                "server-ca has an authority named CN = Some CA, but another of that name signed",
                "server-ca lacks the CA that signed, CN = Some CA");
}

static void test_without_server_ca_the_reason_names_the_trust_store(void **state)
{
        char advice[256];

        server_certificate_set_error(&error, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0, leaf);
        server_certificate_evaluate(
                &certificate, leaf, &error, HOST, SERVER_CERTIFICATE_TRUST_STORE);
        server_certificate_advise(advice, sizeof(advice), &certificate, "");
        assert_non_null(strstr(certificate.reason, "is not in the system's trust store"));
        assert_non_null(strstr(advice, "the system's trust store lacks the CA that signed,"));
}

static void test_an_error_without_a_certificate_has_a_reason(void **state)
{
        server_certificate_set_error(&error, X509_V_ERR_UNSPECIFIED, 0, NULL);
        evaluate(HOST);
        assert_int_equal(certificate.result, CERTIFICATE_REFUSED);
        assert_string_not_equal(certificate.reason, "");
}

#define server_certificate_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                server_certificate_test(test_a_certificate_is_described),
                server_certificate_test(test_the_common_name_counts_where_there_is_no_other),
                server_certificate_test(test_a_host_can_be_an_address_or_match_a_wildcard),
                server_certificate_test(test_names_beyond_the_limit_are_counted),
                server_certificate_test(test_a_name_with_control_characters_is_made_harmless),
                server_certificate_test(test_a_certificate_of_before_1970_has_expired),
                server_certificate_test(test_each_error_of_openssl_has_a_reason_and_a_next_step),
                server_certificate_test(test_another_authority_of_the_same_name_is_reported),
                server_certificate_test(test_without_server_ca_the_reason_names_the_trust_store),
                server_certificate_test(test_an_error_without_a_certificate_has_a_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
