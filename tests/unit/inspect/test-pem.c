/* OpenSSL's allocations fail one after the other (CRYPTO_set_mem_functions(3)). */

#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "common/macro.h"
#include "daemon/inspect/pem.h"
#include "tests/unit/pem-fixture.h"

static unsigned fail_at; /* the allocation that fails, counted from 1; 0: none */
static unsigned n_allocations;

static bool fails(void)
{
        return ++n_allocations == fail_at;
}

static void *allocate(size_t size, const char *file, int line)
{
        return fails() ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
        return fails() ? NULL : realloc(old, size);
}

static void release(void *memory, const char *file, int line)
{
        free(memory);
}

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
        n_allocations = 0;
        fail_at = failing;
        r = pem_parse(&pem, &snapshot, pointers, &report);
        fail_at = 0;
        reached = n_allocations >= failing;
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

        if (argc != 2 || !CRYPTO_set_mem_functions(allocate, reallocate, release))
                return 2;
        pem_fixture_set_root(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
