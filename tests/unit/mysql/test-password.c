#include "tests/unit/test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/mysql/password.h"
#include "tests/unit/scratch.h"

#define LONG (60 * USEC_PER_SEC)

#define NOT_JSON "not JSON, or has a key twice or too many levels"

static char reason[384];

/* The sources of a password. */
typedef enum Source {
        SOURCE_FILE,
        SOURCE_CREDENTIAL,
        SOURCE_COMMAND,
        _SOURCE_MAX,
} Source;

/* Every source is empty. */
static const LoginConfig none = {.host = "",
        .user = "",
        .password = {.credential = "", .file = "", .command = "", .field = ""}};

static LoginConfig prepare(Source source, const void *content, size_t size)
{
        static char path[CONFIG_PATH_MAX], command[CONFIG_PATH_MAX + 16];
        LoginConfig login = none;

        scratch_write("secret", content, size);
        text_set(path, sizeof(path), scratch_path("secret"));
        snprintf(command, sizeof(command), "/bin/cat \"%s\"", path);
        if (source == SOURCE_FILE)
                login.password.file = path;
        else if (source == SOURCE_CREDENTIAL)
                login.password.credential = "secret";
        else
                login.password.command = command;
        return login;
}

/* `field`: password-field. */
static bool read_content(
        Secret *ret, Source source, const char *field, const void *content, size_t size)
{
        LoginConfig login = prepare(source, content, size);
        char directory[CONFIG_PATH_MAX];

        text_set(directory, sizeof(directory), scratch_path("secret"));
        *strrchr(directory, '/') = '\0';
        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
        reason[0] = '\0';
        login.password.field = field;
        return password_read(ret, reason, sizeof(reason), &login, LONG);
}

static void expect_member(const char *field, const char *content, const char *password)
{
        for (Source source = 0; source < _SOURCE_MAX; source++) {
                CLEANUP(secret_done) Secret secret = SECRET_NULL;

                if (!read_content(&secret, source, field, content, strlen(content)))
                        fail_msg("%s", reason);
                assert_string_equal(secret.data, password);
                assert_int_equal(secret.size, strlen(password));
        }
}

static void expect_password(const char *content, const char *password)
{
        expect_member("", content, password);
}

static void expect_error_of(const char *field, const void *content, size_t size, const char *error)
{
        for (Source source = 0; source < _SOURCE_MAX; source++) {
                CLEANUP(secret_done) Secret secret = SECRET_NULL;
                char expected[384];

                assert_false(read_content(&secret, source, field, content, size));
                if (source == SOURCE_COMMAND)
                        snprintf(expected, sizeof(expected), "the output of /bin/cat is %s", error);
                else
                        snprintf(expected, sizeof(expected), "%s: %s", scratch_path("secret"),
                                error);
                assert_string_equal(reason, expected);
        }
}

static void expect_error(const void *content, size_t size, const char *error)
{
        expect_error_of("", content, size, error);
}

static void test_one_line_end_is_not_part_of_the_password(void **state)
{
        expect_password("Tr0ub4dor&3", "Tr0ub4dor&3");
        expect_password("Tr0ub4dor&3\n", "Tr0ub4dor&3");
        expect_password("Tr0ub4dor&3\r\n", "Tr0ub4dor&3");
        expect_password(" two words \n", " two words ");
        expect_password("\"$(id)\" ; \\n\n", "\"$(id)\" ; \\n");
}

static void test_an_invalid_password_has_its_reason(void **state)
{
        expect_error("", 0, "empty");
        expect_error("\n", 1, "empty");
        expect_error("hun\0ter2\n", 9, "not text: it has a NUL byte");
        expect_error("hunter2\nhunter3\n", 16, "more than one line");
        expect_error("hunter2\n\n", 9, "more than one line");
        expect_error("hunter2\rhunter3", 15, "more than one line");
}

static void test_a_member_of_json_can_be_the_password_of_each_source(void **state)
{
        expect_member("password", "{\"username\":\"u\",\n\"password\":\"Tr0ub\\u0034dor&3\\n\"}\n",
                "Tr0ub4dor&3\n");
}

static void test_another_json_has_its_reason_without_its_text(void **state)
{
        static const struct {
                const char *text, *error;
        } cases[] = {{"hunter2\n", NOT_JSON}, {"", NOT_JSON},
                {"[\"hunter2\"]", "JSON, but not an object"},
                {"{\"hunter2\":\"hunter2\"}", "a JSON object without password-field"},
                {"{\"password\":[\"hunter2\"]}",
                        "a JSON object in which password-field is not a string"}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                expect_error_of("password", cases[i].text, strlen(cases[i].text), cases[i].error);
                assert_null(strstr(reason, "hunter2"));
        }
}

static void test_a_password_can_be_as_long_as_the_limit(void **state)
{
        char text[PASSWORD_MAX + 2];

        memset(text, 'x', sizeof(text));
        for (Source source = 0; source < _SOURCE_MAX; source++) {
                CLEANUP(secret_done) Secret secret = SECRET_NULL;

                assert_true(read_content(&secret, source, "", text, PASSWORD_MAX));
                assert_int_equal(secret.size, PASSWORD_MAX);
                assert_false(read_content(&secret, source, "", text, PASSWORD_MAX + 1));
                assert_non_null(strstr(
                        reason, source == SOURCE_COMMAND ? "printed more than" : "File too large"));
        }
}

static void test_a_command_gets_host_port_and_user_of_the_cluster(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        LoginConfig login = none;

        login.host = "db.example";
        login.port = 3307;
        login.user = "a \"b\"; $(exit 1) 'c' %p";
        login.password.command = "/usr/bin/printf %%s, %h %p:%% \"-u %u\"";
        assert_true(password_read(&secret, reason, sizeof(reason), &login, LONG));
        assert_string_equal(secret.data, "db.example,3307:%,-u a \"b\"; $(exit 1) 'c' %p,");
}

static void test_a_password_is_read_each_time(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        LoginConfig login = prepare(SOURCE_COMMAND, "old\n", 4);

        assert_true(password_read(&secret, reason, sizeof(reason), &login, LONG));
        assert_string_equal(secret.data, "old");
        scratch_write_text("secret", "new\n");
        assert_true(password_read(&secret, reason, sizeof(reason), &login, LONG));
        assert_string_equal(secret.data, "new");
}

static bool read_changed(Source kind, const char *old, const char *now)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        LoginConfig login = prepare(kind, old, strlen(old));
        char directory[CONFIG_PATH_MAX];
        bool changed;

        text_set(directory, sizeof(directory), scratch_path("secret"));
        *strrchr(directory, '/') = '\0';
        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
        assert_true(password_read(&secret, reason, sizeof(reason), &login, LONG));
        scratch_write_text("secret", now);
        changed = password_read_changed(&secret, &login, LONG);
        assert_string_equal(secret.data, changed ? now : old);
        return changed;
}

static void test_only_a_changed_password_or_a_token_is_tried_again(void **state)
{
        for (Source source = 0; source < _SOURCE_MAX; source++) {
                assert_true(read_changed(source, "old", "new"));
                assert_int_equal(read_changed(source, "same", "same"), source == SOURCE_COMMAND);
                assert_false(read_changed(source, "old", ""));
        }
}

static void test_an_error_names_the_source(void **state)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        LoginConfig file = none, credential = none, command = none;

        file.password.file = "/no/such/file";
        credential.password.credential = "orders";
        command.password.command = "/bin/sh -c \"exit 3 # hunter2\"";
        assert_false(password_read(&secret, reason, sizeof(reason), &file, LONG));
        assert_string_equal(reason, "/no/such/file: No such file or directory");
        assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
        assert_false(password_read(&secret, reason, sizeof(reason), &credential, LONG));
        assert_string_equal(reason, "$CREDENTIALS_DIRECTORY/orders: No such file or directory");
        /* Without the arguments, which may hold a secret. */
        assert_false(password_read(&secret, reason, sizeof(reason), &command, LONG));
        assert_string_equal(reason, "/bin/sh exited with status 3; its stderr is in the journal");
}

static void test_a_password_that_looks_wrong_is_told_without_its_text(void **state)
{
        static const struct {
                const char *text, *part;
        } cases[] = {
                {"hunter2", NULL},
                {"hun ter2", NULL},
                {"\"", NULL},
                {"{\"password\":\"hunter2\"}", "JSON"},
                {"\"hunter2\"", "quotes"},
                {"'hunter2'", "quotes"},
                {"hunter2 ", "ends in a blank"},
                {"hunter2\t", "ends in a blank"},
                {" hunter2", "begins with a blank"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(secret_done) Secret secret = SECRET_NULL;
                const char *found;

                assert_int_equal(secret_append(&secret, cases[i].text, strlen(cases[i].text)), 0);
                found = password_peculiarity(&secret, &none);
                if (!cases[i].part)
                        assert_null(found);
                else if (!found || !strstr(found, cases[i].part) || strstr(found, "hunter2"))
                        fail_msg("%zu: %s", i, found ? found : "nothing");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_one_line_end_is_not_part_of_the_password),
                scratch_test(test_an_invalid_password_has_its_reason),
                scratch_test(test_a_member_of_json_can_be_the_password_of_each_source),
                scratch_test(test_another_json_has_its_reason_without_its_text),
                scratch_test(test_a_password_can_be_as_long_as_the_limit),
                scratch_test(test_a_command_gets_host_port_and_user_of_the_cluster),
                scratch_test(test_a_password_is_read_each_time),
                scratch_test(test_only_a_changed_password_or_a_token_is_tried_again),
                scratch_test(test_an_error_names_the_source),
                scratch_test(test_a_password_that_looks_wrong_is_told_without_its_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
