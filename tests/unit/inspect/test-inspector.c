/*
 * Every fixture violates one rule, and the inspector must report exactly that one. The build makes
 * the fixtures (tests/pki) with a manifest of the expected problems.
 */

#include "tests/unit/test.h"

#include <sys/mman.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "daemon/import/call.h"
#include "daemon/inspect/inspector.h"
#include "daemon/inspect/payload.h"

static const char *root;

static MaterialConfig config_for(const char *directory)
{
        static const char *const names[] = {"ca.pem", "client-cert.pem", "client-key.pem"};
        MaterialConfig config = {
                .name = "default",
                .key_permissions = POLICY_WARN,
                .minimum_rsa_bits = 2048,
                .expiry_warning_usec = {30 * USEC_PER_DAY, 7 * USEC_PER_DAY, USEC_PER_DAY},
                .key_types = strstr(directory, "-ec") ? KEY_TYPES_RSA_EC : KEY_TYPES_RSA,
        };

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                snprintf(config.path[i], CONFIG_PATH_MAX, "%s/%s/%s", root, directory, names[i]);
        return config;
}

static Report inspect(const char *directory, int payload_fd)
{
        MaterialConfig config = config_for(directory);
        InspectorTask task = {
                .config = &config, .payload_fd = payload_fd, .now_usec = clock_wall_usec()};
        Report report = {0};

        assert_int_equal(inspector_run(&report, &task), 0);
        return report;
}

static void describe(char *buffer, size_t size, const Report *report)
{
        size_t used = 0;

        snprintf(buffer, size, "-");
        for (unsigned i = 0; i < report->n_problems && used < size; i++)
                used += (size_t)snprintf(buffer + used, size - used, "%s%s/%s/%s", i > 0 ? "," : "",
                        rule_to_string(report->problems[i].rule),
                        material_file_to_string(report->problems[i].file),
                        severity_to_string(report->problems[i].severity));
}

static void test_the_certificate_that_expires_soon_is_named(void **state)
{
        static const struct {
                const char *fixture;
                MaterialFile file;
        } cases[] = {{"expires-soon", MATERIAL_CERT}, {"ca-expires-soon", MATERIAL_CA}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Report report = inspect(cases[i].fixture, -1);

                assert_int_equal(report.expires_within_usec, 7 * USEC_PER_DAY);
                assert_non_null(report_expiry(&report));
                assert_int_equal(report_expiry(&report)->file, cases[i].file);
                assert_non_null(strstr(report_expiry(&report)->text, "expires in 4d"));
        }
}

static void test_each_fixture_has_exactly_its_problem(void **state)
{
        char path[512], name[128], expected[256], found[1024];
        unsigned n = 0, wrong = 0;
        FILE *manifest;

        snprintf(path, sizeof(path), "%s/manifest", root);
        manifest = fopen(path, "re");
        assert_non_null(manifest);
        while (fscanf(manifest, "%127s %255s", name, expected) == 2) {
                Report report = inspect(name, -1);

                describe(found, sizeof(found), &report);
                if (strcmp(found, expected) != 0) {
                        print_error("%s: wanted %s, found %s\n", name, expected, found);
                        wrong++;
                }
                if (report.failed != (strstr(expected, "/error") != NULL))
                        wrong++;
                n++;
        }
        fclose(manifest);
        assert_int_equal(wrong, 0);
        assert_true(n > 60);
}

/* Without a word of the fixture's path: the sentence behind it. */
static void test_the_sentence_names_the_certificate_and_the_fault(void **state)
{
#define CA           "the CA \"O = binlog-ssld tests, CN = binlog-ssld test CA\""
#define INTERMEDIATE "the CA \"O = binlog-ssld tests, CN = binlog-ssld test intermediate CA\""
        static const struct {
                const char *fixture, *sentence;
        } cases[] = {
                {"cert-usage-key-encipherment",
                        "wanted digitalSignature in the key usage of the client certificate, found "
                        "keyEncipherment"},
                {"cert-usage-any",
                        "wanted clientAuth in the extended key usage of the client certificate, "
                        "found anyExtendedKeyUsage"},
                {"cert-usage-netscape",
                        "wanted the purpose of a TLS client in the Netscape certificate type of "
                        "the client certificate, found only others"},
                {"cert-usage-ca-in-cert",
                        "wanted clientAuth in the extended key usage of " INTERMEDIATE
                        ", found serverAuth"},
                {"cert-usage-ca-in-ca",
                        "wanted clientAuth in the extended key usage of " INTERMEDIATE
                        ", found serverAuth"},
                {"cert-signature-ca-in-cert",
                        "wanted a signature over SHA-256 or better, found sha1WithRSAEncryption on " INTERMEDIATE},
                {"cert-signature-ca-in-ca",
                        "wanted a signature over SHA-256 or better, found sha1WithRSAEncryption on " INTERMEDIATE},
                {"key-bits-ca", "wanted an RSA key of 2048 bits or more in " CA ", found 1024"},
                {"cert-expired-1969", "the certificate expired at 1969-07-21 02:56:15Z"},
                {"ca-expired-cross-signed", "the client certificate does not need it"},
                {"pem-ignored-bom-ca", "is not read: a byte order mark precedes the boundary"},
                {"pem-ignored-expired",
                        "certificate 1 of the file is not sent: certificate 2 has the same key and "
                        "is valid until "},
                {"pem-malformed-joined-cert", "two PEM blocks meet in one line"},
                {"chain-broken", "no chain to a CA of the CA file: "},
                {"chain-broken",
                        "; the issuer of the client certificate is \"O = binlog-ssld tests, CN = "
                        "binlog-ssld test CA\", ca has \"O = binlog-ssld tests, CN = "
                        "binlog-ssld test CA\" with another key"},
                {"chain-broken-missing-intermediate",
                        "test intermediate CA\", ca has \"O = binlog-ssld tests, CN = "
                        "binlog-ssld test CA\""},
                {"ca-constraint-path-length",
                        "wanted at most 0 CAs below " CA ", which is its path length, found more"},
                {"ca-constraint-name",
                        "wanted names that the name constraints of " CA
                        " permit, found others in the client certificate (permitted subtree "
                        "violation)"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Report report = inspect(cases[i].fixture, -1);

                assert_int_equal(report.n_problems, 1);
                if (!strstr(report.problems[0].text, cases[i].sentence))
                        fail_msg("%s: %s", cases[i].fixture, report.problems[0].text);
        }
}

/* A time of 0 is one that is not known. */
static void test_a_time_before_1970_is_known_and_past(void **state)
{
        Report report = inspect("cert-expired-1969", -1);

        assert_int_equal(report.certificate.not_before_usec, CLOCK_BEFORE_1970);
        assert_int_equal(report.certificate.not_after_usec, CLOCK_BEFORE_1970);
        report = inspect("good-from-1960", -1);
        assert_int_equal(report.certificate.not_before_usec, CLOCK_BEFORE_1970);
        assert_true(report.certificate.not_after_usec > clock_wall_usec());
}

/* Who needs a shorter key says so, and gets OpenSSL's level 1, which still refuses SHA-1. */
static void test_minimum_rsa_bits_lowers_the_level_for_the_whole_path(void **state)
{
        static const struct {
                const char *fixture;
                unsigned minimum, n_problems;
        } cases[] = {{"key-bits-ca", 1024, 0}, {"key-bits", 1024, 0},
                {"cert-signature-sha1", 1024, 1}, {"key-bits-ca", 1025, 1}, {"key-bits", 1025, 1},
                {"key-bits-ca", 4096, 2}, {"good", 2047, 0}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                MaterialConfig config = config_for(cases[i].fixture);
                InspectorTask task = {
                        .config = &config, .payload_fd = -1, .now_usec = clock_wall_usec()};
                Report report = {0};

                config.minimum_rsa_bits = cases[i].minimum;
                assert_int_equal(inspector_run(&report, &task), 0);
                assert_int_equal(report.n_problems, cases[i].n_problems);
                if (cases[i].minimum == 1025)
                        assert_non_null(
                                strstr(report.problems[0].text, "wanted an RSA key of 1025 "));
        }
}

static void test_another_encoding_has_the_same_fingerprint(void **state)
{
        static const char *const same[] = {
                "good-crlf", "good-bom", "good-text", "good-pkcs1-key", "good-no-final-newline"};
        Report good = inspect("good", -1), other = inspect("good-other", -1);

        assert_int_equal(strlen(good.fingerprint), 64);
        for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
                Report report = inspect(same[i], -1);

                assert_string_equal(report.fingerprint, good.fingerprint);
        }
        assert_string_not_equal(other.fingerprint, good.fingerprint);
}

/* What is not sent is no part of the set, so cleaning the file causes no import. */
static void test_a_certificate_that_is_replaced_changes_no_fingerprint(void **state)
{
        Report good = inspect("good", -1);

        assert_string_equal(inspect("pem-ignored-expired", -1).fingerprint, good.fingerprint);
        assert_string_equal(inspect("pem-ignored-renewed", -1).fingerprint, good.fingerprint);
}

static Secret payload_of(const char *directory)
{
        int fd = memfd_create("payload", MFD_CLOEXEC);
        Report report = inspect(directory, fd);
        Secret payload = SECRET_NULL;

        assert_true(fd >= 0 && lseek(fd, 0, SEEK_SET) == 0);
        assert_int_equal(file_read_fd(&payload, fd, SNAPSHOT_FILE_LIMIT), 0);
        assert_int_equal(payload.size, report.payload_size);
        close(fd);
        return payload;
}

static void test_the_payload_does_not_depend_on_the_encoding_and_ends_with_the_key(void **state)
{
        Secret good = payload_of("good"), encoded = payload_of("good-text"), raw = SECRET_NULL;
        char *key = strstr(good.data, "\"ssl_key\":\"-----BEGIN RSA PRIVATE KEY-----\\n");

        assert_string_equal(good.data, encoded.data);
        assert_int_equal(strncmp(good.data, "{\"ssl_ca\":\"-----BEGIN CERTIFICATE-----\\n", 39), 0);
        assert_non_null(key);
        assert_true(key > strstr(good.data, "\"ssl_cert\":"));
        assert_null(strchr(good.data, '\n'));
        assert_int_equal(call_payload_raw(&raw, good.data, good.size), 0);
        assert_null(strchr(raw.data, '\\'));
        assert_non_null(strstr(raw.data, "-----END RSA PRIVATE KEY-----\n\"}"));
        secret_done(&good);
        secret_done(&encoded);
        secret_done(&raw);
}

static void test_a_set_with_an_error_has_no_payload(void **state)
{
        Secret payload = payload_of("key-mismatch");

        assert_int_equal(payload.size, 0);
        secret_done(&payload);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_certificate_that_expires_soon_is_named),
                cmocka_unit_test(test_each_fixture_has_exactly_its_problem),
                cmocka_unit_test(test_a_time_before_1970_is_known_and_past),
                cmocka_unit_test(test_the_sentence_names_the_certificate_and_the_fault),
                cmocka_unit_test(test_minimum_rsa_bits_lowers_the_level_for_the_whole_path),
                cmocka_unit_test(test_another_encoding_has_the_same_fingerprint),
                cmocka_unit_test(test_a_certificate_that_is_replaced_changes_no_fingerprint),
                cmocka_unit_test(
                        test_the_payload_does_not_depend_on_the_encoding_and_ends_with_the_key),
                cmocka_unit_test(test_a_set_with_an_error_has_no_payload),
        };

        if (argc != 2)
                return 2;
        root = realpath(argv[1], NULL); /* paths of a configuration are absolute */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
