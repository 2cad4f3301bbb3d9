#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/json-reader.h"
#include "daemon/varlink/history-json.h"
#include "tests/unit/status-fixture.h"

#define MANY 4096

static StatusFixture fixture;

static int begin(void **state)
{
        status_fixture_make(&fixture);
        return 0;
}

static int end(void **state)
{
        for (size_t i = 0; i < FIXTURE_CLUSTERS; i++)
                fixture.record[i].history = history_free(fixture.record[i].history);
        return 0;
}

#define json_test(test) cmocka_unit_test_setup_teardown(test, begin, end)

static void add(unsigned cluster, uint64_t at_usec)
{
        const HistoryEntry entry = {.outcome = OUTCOME_IMPORTED, .text = "", .at_usec = at_usec};

        history_add(&fixture.record[cluster].history, &entry);
}

static JsonValue *format(const ManagerStatus *status, const bool *chosen)
{
        CLEANUP(freep) char *text = NULL;
        JsonValue *value = NULL;

        assert_int_equal(history_json_format(&text, status, chosen), 0);
        assert_int_equal(json_parse(&value, text, strlen(text)), 0);
        return value;
}

static int64_t number(const JsonValue *object, const char *key)
{
        int64_t value = -1;

        assert_true(json_get_integer(&value, json_member(object, key)));
        return value;
}

static void test_the_newest_entry_comes_first(void **state)
{
        const bool chosen[] = {false, true};
        CLEANUP(json_freep) JsonValue *answer = NULL;
        const JsonValue *cluster;

        fixture.status.n_clusters = 2;
        add(0, 1);
        add(1, 2);
        add(1, 3);
        answer = format(&fixture.status, chosen);
        assert_int_equal(json_size(json_member(answer, "clusters")), 1);
        cluster = json_element(json_member(answer, "clusters"), 0);
        assert_string_equal(json_get_string(json_member(cluster, "name")), "users");
        assert_int_equal(number(cluster, "older"), 0);
        assert_int_equal(json_size(json_member(cluster, "entries")), 2);
        assert_int_equal(number(json_element(json_member(cluster, "entries"), 0), "at"), 3);
}

/* The same cluster many times, with as many entries as there can be. */
static void expect_entries(size_t n, unsigned shown)
{
        static const ClusterStatus *clusters[MANY];
        static bool chosen[MANY];
        CLEANUP(json_freep) JsonValue *answer = NULL;
        ManagerStatus status = fixture.status;

        for (size_t i = 0; i < n; i++) {
                clusters[i] = &fixture.cluster[0];
                chosen[i] = true;
        }
        status.clusters = clusters;
        status.n_clusters = n;
        answer = format(&status, chosen);
        assert_int_equal(json_size(json_member(answer, "clusters")), n);
        for (size_t i = 0; i < n; i++) {
                const JsonValue *cluster = json_element(json_member(answer, "clusters"), i);

                assert_int_equal(json_size(json_member(cluster, "entries")), shown);
                assert_int_equal(number(cluster, "older"), HISTORY_MAX - shown);
        }
}

static void test_of_many_clusters_only_the_newest_entries_are_shown(void **state)
{
        for (unsigned i = 0; i < HISTORY_MAX; i++)
                add(0, i);
        expect_entries(1, HISTORY_MAX);
        expect_entries(256, HISTORY_MAX);
        expect_entries(257, HISTORY_MAX - 1);
        expect_entries(1000, 4);
        expect_entries(MANY, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                json_test(test_the_newest_entry_comes_first),
                json_test(test_of_many_clusters_only_the_newest_entries_are_shown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
