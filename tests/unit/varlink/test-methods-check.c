#include "tests/unit/varlink/methods-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/model/interface.h"

#define MORE          ",\"more\":true"
#define WITH(members) MORE ",\"parameters\":{" members "}"

static void test_a_check_needs_more(void **state)
{
        fixture_expect("CheckClusters", "", VARLINK_ERROR_EXPECTED_MORE, NULL);
        assert_int_equal(fixture.n_checks, 0);
        assert_null(fixture.cancel_fn);
}

static void test_a_check_without_names_is_of_all_clusters(void **state)
{
        static const char *const members[] = {
                MORE, MORE ",\"parameters\":null", WITH(""), WITH("\"clusters\":null")};

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                fixture_expect("CheckClusters", members[i], NULL, NULL);
                assert_string_equal(fixture.checked, "01");
        }
}

static void test_a_check_with_names_is_of_these_clusters(void **state)
{
        fixture_expect("CheckClusters", WITH("\"clusters\":[\"users\"]"), NULL, NULL);
        assert_string_equal(fixture.checked, "1");
        fixture_expect("CheckClusters", WITH("\"clusters\":[]"), NULL, NULL);
        assert_string_equal(fixture.checked, "");
}

static void test_an_unknown_cluster_refuses_the_whole_check(void **state)
{
        fixture_expect("CheckClusters", WITH("\"clusters\":[\"orders\",\"logs\"]"),
                INTERFACE_NAME ".NoSuchCluster", "{\"name\":\"logs\"}");
        assert_int_equal(fixture.n_checks, 0);
        assert_null(fixture.cancel_fn);
}

static void test_a_parameter_of_a_wrong_type_is_named(void **state)
{
        fixture_expect("CheckClusters", WITH("\"clusters\":\"orders\""),
                VARLINK_ERROR_INVALID_PARAMETER, "{\"parameter\":\"clusters\"}");
        assert_int_equal(fixture.n_checks, 0);
}

static void test_a_second_check_is_refused(void **state)
{
        fixture.check_error = -EBUSY;
        fixture_expect("CheckClusters", MORE, INTERFACE_NAME ".CheckRunning", NULL);
        assert_null(fixture.cancel_fn);
        fixture.check_error = -ENOMEM;
        assert_int_equal(fixture_call("CheckClusters", MORE), -ENOMEM);
        assert_null(fixture.cancel_fn);
}

static void test_answers_come_as_the_clusters_end(void **state)
{
        CLEANUP(freep) char *first = NULL, *second = NULL;
        char *none;

        fixture_expect("CheckClusters", MORE, NULL, NULL);
        assert_int_equal(fixture_next(&none), 1);
        assert_null(none);
        fixture.n_answers = 2;
        fixture.ready(NULL);
        assert_int_equal(fixture.n_wakes, 1);
        assert_int_equal(fixture_next(&first), 1);
        assert_non_null(first);
        assert_int_equal(fixture_next(&second), 0);
        assert_non_null(second);
        assert_false(fixture.check_ended);
}

static void test_a_client_that_leaves_ends_the_check(void **state)
{
        fixture_expect("CheckClusters", MORE, NULL, NULL);
        assert_false(fixture.check_ended);
        fixture.cancel_fn(fixture.next_userdata);
        assert_true(fixture.check_ended);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                methods_test(test_a_check_needs_more),
                methods_test(test_a_check_without_names_is_of_all_clusters),
                methods_test(test_a_check_with_names_is_of_these_clusters),
                methods_test(test_an_unknown_cluster_refuses_the_whole_check),
                methods_test(test_a_parameter_of_a_wrong_type_is_named),
                methods_test(test_a_second_check_is_refused),
                methods_test(test_answers_come_as_the_clusters_end),
                methods_test(test_a_client_that_leaves_ends_the_check),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
