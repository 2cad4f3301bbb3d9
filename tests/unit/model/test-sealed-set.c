#include "tests/unit/test.h"

#include <fcntl.h>
#include <string.h>

#include "daemon/model/sealed-set.h"

#define A "a"
#define B "b"
#define C "c"

static SealedSet *make(const char *fingerprint)
{
        SetInfo info = {0};
        SealedSet *set;

        strcpy(info.fingerprint, fingerprint);
        assert_int_equal(sealed_set_new(&set, &info, open("/dev/null", O_RDONLY | O_CLOEXEC)), 0);
        assert_true(set->payload_fd >= 0);
        return set;
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void test_the_last_owner_closes_the_payload(void **state)
{
        SealedSet *set = make(A);
        int fd = set->payload_fd;

        assert_ptr_equal(sealed_set_ref(set), set);
        assert_null(sealed_set_unref(set));
        assert_true(is_open(fd));
        assert_string_equal(sealed_set_fingerprint(set), A);
        sealed_set_unref(set);
        assert_false(is_open(fd));
        assert_null(sealed_set_ref(NULL));
        assert_null(sealed_set_unref(NULL));
        assert_string_equal(sealed_set_fingerprint(NULL), "");
}

/* A is imported, then B is on disk and sent, then it is imported; its predecessor is A. */
static void test_a_set_is_kept_while_its_fingerprint_is_wanted(void **state)
{
        KeptSets kept = KEPT_SETS_NULL;
        SealedSet *a = make(A), *b = make(B);
        int a_fd = a->payload_fd, b_fd = b->payload_fd;

        kept_sets_update(&kept, A, "", a, NULL);
        assert_ptr_equal(kept.imported, a);
        assert_null(kept.former);
        sealed_set_unref(a); /* of the material */
        kept_sets_update(&kept, A, "", b, b);
        assert_ptr_equal(kept.imported, a);
        kept_sets_update(&kept, B, A, NULL, b);
        assert_ptr_equal(kept.imported, b);
        assert_ptr_equal(kept.former, a);
        sealed_set_unref(b);
        assert_true(is_open(a_fd) && is_open(b_fd));
        kept_sets_update(&kept, A, "", NULL, NULL); /* rolled back */
        assert_ptr_equal(kept.imported, a);
        assert_null(kept.former);
        assert_true(is_open(a_fd));
        assert_false(is_open(b_fd));
        kept_sets_update(&kept, "", "", NULL, NULL);
        assert_false(is_open(a_fd));
}

static void test_a_set_that_is_not_known_is_not_kept(void **state)
{
        KeptSets kept = KEPT_SETS_NULL;
        SealedSet *b = make(B);

        kept_sets_update(&kept, A, C, b, NULL);
        assert_null(kept.imported);
        assert_null(kept.former);
        assert_int_equal(b->n_owners, 1);
        kept_sets_update(&kept, B, A, b, NULL);
        assert_int_equal(b->n_owners, 2);
        kept_sets_done(&kept);
        kept_sets_done(&kept);
        assert_int_equal(b->n_owners, 1);
        sealed_set_unref(b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_last_owner_closes_the_payload),
                cmocka_unit_test(test_a_set_is_kept_while_its_fingerprint_is_wanted),
                cmocka_unit_test(test_a_set_that_is_not_known_is_not_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
