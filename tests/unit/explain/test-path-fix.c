#include "tests/unit/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/macro.h"
#include "ctl/explain/path-fix.h"
#include "tests/unit/scratch.h"

#define SERVICE_GID  0 /* "root" on every system */
#define NAMELESS     4000000001U
#define MISSING_PATH "/srv/nowhere/to/be/found"

/* A directory that cannot be entered, below another one and of another group. */
static PathHop closed_directory(const char *path)
{
        PathHop hop = {
                .mode = S_IFDIR | 0700, .gid = 4711, .enter_error = EACCES, .read_error = EACCES};

        snprintf(hop.path, sizeof(hop.path), "%s", path);
        return hop;
}

static void expect(const PathHop *hop, gid_t gid, const char *first, const char *second)
{
        static char one[PATH_FIX_MAX], other[PATH_FIX_MAX];

        path_fix_commands(one, other, sizeof(one), hop, gid);
        assert_string_equal(one, first);
        assert_string_equal(other, second);
}

static void expect_none(const PathHop *hop)
{
        expect(hop, SERVICE_GID, "", "");
}

static void test_a_closed_directory_is_opened_for_the_group(void **state)
{
        PathHop hop = closed_directory("/srv/pki");

        expect(&hop, SERVICE_GID, "chgrp root /srv/pki && chmod g+rx /srv/pki",
                "setfacl -m g:root:rx /srv/pki");
}

static void test_a_directory_that_cannot_be_watched_is_opened_for_the_group_too(void **state)
{
        PathHop hop = closed_directory("/srv/pki");

        hop.enter_error = 0;
        expect(&hop, SERVICE_GID, "chgrp root /srv/pki && chmod g+rx /srv/pki",
                "setfacl -m g:root:rx /srv/pki");
}

static void test_a_file_needs_only_reading(void **state)
{
        PathHop hop = closed_directory("/srv/pki/key.pem");

        hop.mode = S_IFREG | 0600;
        hop.enter_error = 0;
        expect(&hop, SERVICE_GID, "chgrp root /srv/pki/key.pem && chmod g+r /srv/pki/key.pem",
                "setfacl -m g:root:r /srv/pki/key.pem");
}

static void test_the_group_of_the_service_needs_only_the_bits(void **state)
{
        PathHop hop = closed_directory("/srv/pki");

        hop.gid = SERVICE_GID;
        expect(&hop, SERVICE_GID, "chmod g+rx /srv/pki", "");
}

static void test_a_shared_directory_keeps_its_group(void **state)
{
        static const char *const paths[] = {"/srv", "/home", "/home/deploy", "/home/deploy/pki"};

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                PathHop hop = closed_directory(paths[i]);
                char command[64];

                snprintf(command, sizeof(command), "setfacl -m g:root:rx %s", paths[i]);
                expect(&hop, SERVICE_GID, command, "");
        }
}

static void test_only_home_itself_is_shared_below_the_top(void **state)
{
        PathHop hop = closed_directory("/homestead/pki");

        expect(&hop, SERVICE_GID, "chgrp root /homestead/pki && chmod g+rx /homestead/pki",
                "setfacl -m g:root:rx /homestead/pki");
}

static void test_a_group_without_name_is_its_number(void **state)
{
        PathHop hop = closed_directory("/srv/pki");

        expect(&hop, NAMELESS, "chgrp 4000000001 /srv/pki && chmod g+rx /srv/pki",
                "setfacl -m g:4000000001:rx /srv/pki");
}

static void test_a_name_that_leads_nowhere_has_no_command(void **state)
{
        static const int errors[] = {ENOENT, EACCES, ELOOP, ENOTDIR, EIO};

        for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
                PathHop hop = closed_directory("/srv/pki");

                hop.error = errors[i];
                expect_none(&hop);
        }
}

static void test_another_error_than_a_denied_permission_has_no_command(void **state)
{
        static const int errors[] = {0, EPERM, EIO, ESTALE};

        for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
                PathHop hop = closed_directory("/srv/pki");

                hop.enter_error = hop.read_error = errors[i];
                expect_none(&hop);
        }
}

/* The word as /bin/sh reads it. */
static void expect_word(const char *quoted, const char *path)
{
        static char command[PATH_FIX_MAX + 16];
        char word[256] = "";
        FILE *shell;

        assert_true(snprintf(command, sizeof(command), "printf %%s %s", quoted) > 0);
        shell = popen(command, "r");
        assert_non_null(shell);
        (void)!fread(word, 1, sizeof(word) - 1, shell);
        assert_int_equal(pclose(shell), 0);
        assert_string_equal(word, path);
}

static void test_every_path_is_one_word_of_the_shell(void **state)
{
        static const char *const paths[] = {"/srv/plain-1_2.x+y@z:a,b=c", "/srv/with space",
                "/srv/it's", "/srv/''", "/srv/$(id)", "/srv/`id`", "/srv/$HOME", "/srv/a\"b",
                "/srv/a\\b", "/srv/a;b&c|d", "/srv/*", "/srv/~", "/srv/#x", "/srv/a!b",
                "/srv/\xc3\xbc"};
        static const char prefix[] = "chmod g+rx ";
        static char first[PATH_FIX_MAX], second[PATH_FIX_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                PathHop hop = closed_directory(paths[i]);

                hop.gid = SERVICE_GID;
                path_fix_commands(first, second, sizeof(first), &hop, SERVICE_GID);
                assert_memory_equal(first, prefix, strlen(prefix));
                expect_word(first + strlen(prefix), paths[i]);
        }
}

static void test_a_plain_path_is_not_quoted(void **state)
{
        PathHop plain = closed_directory("/srv/pki-1_2.d"), space = closed_directory("/srv/my pki");

        plain.gid = space.gid = SERVICE_GID;
        expect(&plain, SERVICE_GID, "chmod g+rx /srv/pki-1_2.d", "");
        expect(&space, SERVICE_GID, "chmod g+rx '/srv/my pki'", "");
}

static void expect_reason(const PathHop *hop, bool as_service, const char *reason)
{
        static char text[2 * PATH_MAX];

        path_fix_reason(text, sizeof(text), hop, as_service);
        assert_string_equal(text, reason);
}

static void test_each_kind_of_denied_hop_has_its_reason(void **state)
{
        PathHop hop = closed_directory(MISSING_PATH);

        expect_reason(
                &hop, true, "the directory " MISSING_PATH " cannot be entered: Permission denied");
        hop.enter_error = 0;
        expect_reason(&hop, true,
                "the directory " MISSING_PATH
                " cannot be watched, only polled: it may be entered but not listed");
        hop.mode = S_IFREG | 0600;
        expect_reason(&hop, true, "the file " MISSING_PATH " cannot be read: Permission denied");
        hop.error = ELOOP;
        expect_reason(&hop, true, MISSING_PATH ": Too many levels of symbolic links");
        hop.error = ENOENT;
        expect_reason(&hop, true, "there is no " MISSING_PATH);
}

static void test_a_hop_that_is_not_denied_has_no_reason(void **state)
{
        PathHop hop = closed_directory(MISSING_PATH);

        hop.enter_error = hop.read_error = 0;
        expect_reason(&hop, true, "");
}

/* A denied hop as the caller sees the same path, which is a directory of the test. */
static PathHop hop_of_scratch(void)
{
        PathHop hop = closed_directory(scratch_path("pki"));
        struct stat st;

        scratch_make_directory("pki");
        assert_int_equal(lstat(hop.path, &st), 0);
        hop.mode = st.st_mode;
        hop.uid = st.st_uid;
        return hop;
}

static bool is_hidden(const PathHop *hop, bool as_service)
{
        static char text[2 * PATH_MAX];

        path_fix_reason(text, sizeof(text), hop, as_service);
        assert_string_not_equal(text, "");
        return strncmp(text, "the unit's sandbox hides ", strlen("the unit's sandbox hides ")) == 0;
}

static void test_a_path_that_only_the_caller_sees_is_hidden_by_the_sandbox(void **state)
{
        PathHop hop = hop_of_scratch();

        assert_false(is_hidden(&hop, true));
        hop.error = ENOENT;
        assert_true(is_hidden(&hop, true));
        hop.error = EACCES;
        assert_false(is_hidden(&hop, true));
}

static void test_another_file_under_the_path_is_hidden_by_the_sandbox(void **state)
{
        PathHop hop = hop_of_scratch();

        hop.mode ^= 0070;
        assert_true(is_hidden(&hop, true));
        hop.mode ^= 0070;
        hop.uid++;
        assert_true(is_hidden(&hop, true));
}

static void test_a_path_that_nobody_sees_is_not_hidden(void **state)
{
        PathHop hop = hop_of_scratch();

        hop.error = ENOENT;
        assert_int_equal(remove(hop.path), 0);
        assert_false(is_hidden(&hop, true));
}

static void test_the_access_of_the_caller_is_never_hidden(void **state)
{
        PathHop hop = hop_of_scratch();

        hop.error = ENOENT;
        assert_false(is_hidden(&hop, false));
        hop.error = 0;
        hop.uid++;
        assert_false(is_hidden(&hop, false));
}

static void test_users_and_groups_have_names_or_numbers(void **state)
{
        char buffer[64];

        assert_string_equal(path_fix_user_name(buffer, sizeof(buffer), 0), "root");
        assert_string_equal(path_fix_group_name(buffer, sizeof(buffer), 0), "root");
        assert_string_equal(path_fix_user_name(buffer, sizeof(buffer), NAMELESS), "4000000001");
        assert_string_equal(path_fix_group_name(buffer, sizeof(buffer), NAMELESS), "4000000001");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_closed_directory_is_opened_for_the_group),
                cmocka_unit_test(
                        test_a_directory_that_cannot_be_watched_is_opened_for_the_group_too),
                cmocka_unit_test(test_a_file_needs_only_reading),
                cmocka_unit_test(test_the_group_of_the_service_needs_only_the_bits),
                cmocka_unit_test(test_a_shared_directory_keeps_its_group),
                cmocka_unit_test(test_only_home_itself_is_shared_below_the_top),
                cmocka_unit_test(test_a_group_without_name_is_its_number),
                cmocka_unit_test(test_a_name_that_leads_nowhere_has_no_command),
                cmocka_unit_test(test_another_error_than_a_denied_permission_has_no_command),
                cmocka_unit_test(test_every_path_is_one_word_of_the_shell),
                cmocka_unit_test(test_a_plain_path_is_not_quoted),
                cmocka_unit_test(test_each_kind_of_denied_hop_has_its_reason),
                cmocka_unit_test(test_a_hop_that_is_not_denied_has_no_reason),
                scratch_test(test_a_path_that_only_the_caller_sees_is_hidden_by_the_sandbox),
                scratch_test(test_another_file_under_the_path_is_hidden_by_the_sandbox),
                scratch_test(test_a_path_that_nobody_sees_is_not_hidden),
                scratch_test(test_the_access_of_the_caller_is_never_hidden),
                cmocka_unit_test(test_users_and_groups_have_names_or_numbers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
