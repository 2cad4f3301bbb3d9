#include "tests/unit/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/macro.h"
#include "ctl/explain/path-access.h"
#include "tests/unit/scratch.h"

static PathHop hop_of(mode_t mode)
{
        return (PathHop){.path = "/srv/pki", .mode = mode};
}

static void expect(const PathHop *hop, const char *kind, const char *verdict, bool denied)
{
        assert_string_equal(path_hop_kind(hop), kind);
        assert_string_equal(path_hop_verdict(hop), verdict);
        assert_int_equal(path_hop_is_denied(hop), denied);
}

static void test_a_hop_without_error_is_passed_followed_or_readable(void **state)
{
        PathHop directory = hop_of(S_IFDIR | 0755), link = hop_of(S_IFLNK | 0777);
        PathHop file = hop_of(S_IFREG | 0644), fifo = hop_of(S_IFIFO | 0644);

        strcpy(link.link, "r1");
        expect(&directory, "dir", "passed", false);
        expect(&link, "link", "followed", false);
        expect(&file, "file", "readable", false);
        expect(&fifo, "other", "readable", false);
}

static void test_a_name_that_leads_nowhere_is_missing_or_not_seen(void **state)
{
        PathHop hop = hop_of(0);

        hop.error = ENOENT;
        expect(&hop, "-", "missing", true);
        hop.error = EACCES;
        expect(&hop, "-", "not seen", true);
}

static void test_a_directory_is_closed_or_not_watched(void **state)
{
        PathHop hop = hop_of(S_IFDIR | 0700);

        hop.read_error = EACCES;
        expect(&hop, "dir", "not watched", true);
        hop.enter_error = EACCES;
        expect(&hop, "dir", "closed", true);
}

static void test_a_file_with_a_read_error_is_unreadable(void **state)
{
        PathHop hop = hop_of(S_IFREG | 0600);

        hop.read_error = EACCES;
        expect(&hop, "file", "unreadable", true);
}

static void test_the_first_denied_hop_is_found(void **state)
{
        static PathAccess access = {.n_hops = 3};

        assert_null(path_access_denied(&access));
        access.hops[2].read_error = EACCES;
        assert_ptr_equal(path_access_denied(&access), &access.hops[2]);
        access.hops[1].error = ENOENT;
        assert_ptr_equal(path_access_denied(&access), &access.hops[1]);
        access.n_hops = 1;
        assert_null(path_access_denied(&access));
}

static const PathHop *find(const PathAccess *access, const char *name)
{
        for (size_t i = 0; i < access->n_hops; i++)
                if (strcmp(access->hops[i].path, scratch_path(name)) == 0)
                        return &access->hops[i];
        fail_msg("no hop for %s", name);
        return NULL;
}

static void test_the_caller_passes_links_and_reads_files_of_its_own(void **state)
{
        CLEANUP(path_access_freep) PathAccess *access = NULL;
        const char *paths[_MATERIAL_FILE_MAX];

        scratch_make_directory("r1");
        scratch_link("r1", "current");
        scratch_write_text("r1/ca.pem", "ca");
        scratch_write_text("r1/key.pem", "key");
        paths[MATERIAL_CA] = scratch_path("current/ca.pem");
        paths[MATERIAL_CERT] = scratch_path("current/cert.pem");
        paths[MATERIAL_KEY] = scratch_path("current/key.pem");
        assert_int_equal(path_access_check(&access, NULL, paths), 0);
        assert_int_equal(access->error, 0);
        assert_false(access->as_service);
        expect(find(access, "current"), "link", "followed", false);
        assert_string_equal(find(access, "current")->link, "r1");
        expect(find(access, "r1"), "dir", "passed", false);
        expect(find(access, "r1/ca.pem"), "file", "readable", false);
        expect(find(access, "r1/key.pem"), "file", "readable", false);
        expect(find(access, "r1/cert.pem"), "-", "missing", true);
        assert_ptr_equal(path_access_denied(access), find(access, "r1/cert.pem"));
}

static void test_an_identity_that_cannot_be_assumed_is_an_error_of_the_result(void **state)
{
        CLEANUP(path_access_freep) PathAccess *access = NULL;
        const char *const paths[_MATERIAL_FILE_MAX] = {"/ca", "/cert", "/key"};
        const ServiceIdentity nobody = {.pid = -1};

        assert_int_equal(path_access_check(&access, &nobody, paths), 0);
        assert_int_equal(access->error, ENOENT);
        assert_false(access->as_service);
        assert_int_equal(access->n_hops, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_hop_without_error_is_passed_followed_or_readable),
                cmocka_unit_test(test_a_name_that_leads_nowhere_is_missing_or_not_seen),
                cmocka_unit_test(test_a_directory_is_closed_or_not_watched),
                cmocka_unit_test(test_a_file_with_a_read_error_is_unreadable),
                cmocka_unit_test(test_the_first_denied_hop_is_found),
                scratch_test(test_the_caller_passes_links_and_reads_files_of_its_own),
                cmocka_unit_test(test_an_identity_that_cannot_be_assumed_is_an_error_of_the_result),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
