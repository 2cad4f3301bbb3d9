/* OpenSSL's allocations fail one after the other (CRYPTO_set_mem_functions(3)). */

#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/inspect/pem.h"
#include "tests/unit/openssl-memory.h"
#include "tests/unit/pem-fixture.h"

/* Parses the set with a failing allocation. Returns false if there was no such allocation. */
static bool parse(const char *set, unsigned failing)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;
        CLEANUP(pem_done) Pem pem = PEM_NULL;
        char paths[_MATERIAL_FILE_MAX][PEM_FIXTURE_PATH_MAX];
        const char *pointers[_MATERIAL_FILE_MAX];
        Report report = {0};
        bool complete, reached;
        int r;

        pem_fixture_paths(paths, pointers, set);
        assert_int_equal(snapshot_take(&snapshot, pointers, NULL), 0);
        openssl_memory_fail(failing);
        r = pem_parse(&pem, &snapshot, pointers, &report, clock_wall_usec());
        reached = openssl_memory_reached(failing);
        complete = pem.authorities && pem.chain && pem.key;
        if (r == 0)
                assert_int_equal(report.failed, !complete);
        else
                assert_int_equal(r, -ENOMEM);
        return reached;
}

static void test_without_memory_a_member_is_missing_only_with_an_error(void **state)
{
        assert_true(parse("good-chain", 1));
        for (unsigned i = 2; parse("good-chain", i); i++)
                ;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_without_memory_a_member_is_missing_only_with_an_error),
        };

        if (argc != 2 || !openssl_memory_install())
                return 2;
        pem_fixture_set_root(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
