/* Each value is refused when it is read if it can never work, with its line and what is allowed. */

#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"
#include "daemon/config/config-load.h"

static char path[] = "/tmp/test-values-XXXXXX";

static int load(Config **ret, const char *text, ConfigProblem *problem)
{
        assert_int_equal(file_replace(path, text, strlen(text), 0600), 0);
        return config_load(ret, path, problem);
}

/* `value` is the value of `key`, in the section of a cluster. */
static int load_value(const char *key, const char *value, ConfigProblem *problem)
{
        char text[16384];
        Config *config = NULL;
        int r;

        snprintf(text, sizeof(text),
                "[cluster-defaults]\nuser = u\nhost = h\npassword-file = /p\n[cluster a]\n%s = %s\n",
                key, value);
        r = load(&config, text, problem);
        config_unref(config);
        return r;
}

/* `lines` are those of a material. */
static int load_material(const char *lines, ConfigProblem *problem)
{
        char text[512];
        Config *config = NULL;
        int r;

        snprintf(text, sizeof(text),
                "[cluster a]\nuser = u\nhost = h\npassword-file = /p\n[material m]\n%s"
                "[material default]\n",
                lines);
        r = load(&config, text, problem);
        config_unref(config);
        return r;
}

/* Returns `n` letters. */
static const char *letters(size_t n)
{
        static char text[4096];

        memset(text, 'a', n);
        text[n] = '\0';
        return text;
}

static void test_a_host_is_a_name_or_an_address(void **state)
{
        static const char *const hosts[] = {"orders.cluster-abc.eu-west-1.rds.amazonaws.com", "h",
                "127.0.0.1", "::1", "2001:DB8::ab", "a_b"};
        static const char *const others[] = {"-h", "--help", ".h", "h $(id)", "h;id", "\"h\"",
                "'h'", "h/x", "%h", "fe80::1%eth0", "[::1]", "h\\", "h port = 3307", "h\xc3\xa9",
                "jdbc:mysql://h", "tcp://h", "mysql://h:3306/", "h:3306", "127.0.0.1:3306",
                "[::1]:3306", "::1::2", ":", "a..b", "h..", "."};
        ConfigProblem problem = {0};

        for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
                assert_int_equal(load_value("host", hosts[i], &problem), 0);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                assert_int_equal(load_value("host", others[i], &problem), -EINVAL);
                assert_int_equal(problem.line, 6);
                assert_non_null(strstr(problem.text, "this is not a host name or address"));
        }
}

static void test_a_value_is_as_long_as_it_can_work_and_no_longer(void **state)
{
        static const struct {
                const char *key, *prefix;
                size_t longest;
                const char *allowed;
        } cases[] = {
                {"host", "", 63, "a host name or address: at most 253 letters"},
                {"host", "db.", 63, "a host name or address"},
                {"user", "", 32, "a user name of 1 to 32 characters"},
                {"user", "\xc3\xa4\xc3\xa4", 30, "a user name of 1 to 32 characters"},
                {"source-user", "", 32, "a user name of 1 to 32 characters"},
                {"server-ca", "/etc/", 255, "an absolute path, each name of it at most 255 bytes"},
        };
        ConfigProblem problem = {0};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char value[8192];

                snprintf(value, sizeof(value), "%s%s", cases[i].prefix, letters(cases[i].longest));
                assert_int_equal(load_value(cases[i].key, value, &problem), 0);
                snprintf(value, sizeof(value), "%s%s", cases[i].prefix,
                        letters(cases[i].longest + 1));
                assert_int_equal(load_value(cases[i].key, value, &problem), -EINVAL);
                assert_int_equal(problem.line, 6);
                assert_non_null(strstr(problem.text, cases[i].allowed));
        }
        /* What is allowed is said behind a value of any length. */
        assert_int_equal(load_value("user", letters(4000), &problem), -EINVAL);
        assert_non_null(strstr(problem.text, "aaa...: this is not a user name of 1 to 32 "));
}

static void test_a_name_of_253_bytes_is_a_host_and_a_longer_one_is_not(void **state)
{
        ConfigProblem problem = {0};
        char name[300] = "";

        while (strlen(name) < 240)
                strcat(name, "a23456789.");
        strcat(name, "a234567890123");
        assert_int_equal(strlen(name), 253);
        assert_int_equal(load_value("host", name, &problem), 0);
        strcat(name, "x");
        assert_int_equal(load_value("host", name, &problem), -EINVAL);
}

/* RFC 1123, section 2.1: the last label of a name is no number. */
static void test_what_is_nearly_an_address_is_no_host(void **state)
{
        static const char *const hosts[] = {
                "10.0.0.300", "10.0.0", "010.0.0.1", "12345", "db.example.1", "1.2.3.4.5"};
        static const char *const names[] = {"1.example", "10.0.0.300a", "0x1"};
        ConfigProblem problem = {0};

        for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
                assert_int_equal(load_value("host", hosts[i], &problem), -EINVAL);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                assert_int_equal(load_value("host", names[i], &problem), 0);
}

static void test_a_file_is_no_directory(void **state)
{
        static const char *const paths[] = {"/run/", "/", "/run/.", "/run/..", "run/p"};
        ConfigProblem problem = {0};

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                assert_int_equal(load_value("source-password-file", paths[i], &problem), -EINVAL);
                assert_non_null(strstr(problem.text, "this is not an absolute path of a file"));
                assert_int_equal(
                        load_value("source-password-command", paths[i], &problem), -EINVAL);
        }
        assert_int_equal(load_value("source-password-file", "/run/.p", &problem), 0);
        assert_int_equal(load_value("server-ca", "/etc/ssl/", &problem), 0);
        assert_int_equal(load_material("key = tls/\n", &problem), -EINVAL);
        assert_non_null(strstr(problem.text, "key = tls/: this is not a file name"));
        assert_int_equal(load_material("cert = ..\n", &problem), -EINVAL);
}

static void test_the_ca_is_not_in_the_file_of_the_certificate(void **state)
{
        ConfigProblem problem = {0};

        assert_int_equal(load_material("ca = tls.pem\ncert = tls.pem\n", &problem), -EINVAL);
        assert_int_equal(problem.line, 7);
        assert_non_null(strstr(problem.text,
                "[material m]: ca and cert are the same file, /etc/binlog-ssld/material/tls.pem"));
        assert_int_equal(load_material("ca = client-cert.pem\n", &problem), -EINVAL);
        assert_int_equal(problem.line, 6);
        assert_int_equal(load_material("key = both.pem\ncert = both.pem\n", &problem), 0);
}

static void test_a_ledger_is_not_in_a_virtual_schema(void **state)
{
        ConfigProblem problem = {0};

        assert_int_equal(load_value("ledger", "INFORMATION_SCHEMA.t", &problem), -EINVAL);
        assert_int_equal(load_value("ledger", "performance_schema.t", &problem), -EINVAL);
        assert_int_equal(load_value("ledger", "information_schema2.t", &problem), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_host_is_a_name_or_an_address),
                cmocka_unit_test(test_a_value_is_as_long_as_it_can_work_and_no_longer),
                cmocka_unit_test(test_a_name_of_253_bytes_is_a_host_and_a_longer_one_is_not),
                cmocka_unit_test(test_what_is_nearly_an_address_is_no_host),
                cmocka_unit_test(test_a_file_is_no_directory),
                cmocka_unit_test(test_the_ca_is_not_in_the_file_of_the_certificate),
                cmocka_unit_test(test_a_ledger_is_not_in_a_virtual_schema),
        };
        int fd = mkstemp(path), failures;

        if (fd < 0)
                return 1;
        close(fd);
        failures = cmocka_run_group_tests(tests, NULL, NULL);
        unlink(path);
        return failures;
}
