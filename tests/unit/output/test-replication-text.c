#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "ctl/output/replication-text.h"

#define NOW (UINT64_C(1801490709) * USEC_PER_SEC)

static ClusterInfo running(void)
{
        return (ClusterInfo){.name = "orders",
                .state = CLUSTER_CURRENT,
                .replication_mode = "observe",
                .replication = {.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes",
                        .tls = TRISTATE_YES,
                        .lag_known = true,
                        .source_host = "db1.example",
                        .source_port = 3306,
                        .checked_at_usec = NOW - 42 * USEC_PER_SEC}};
}

static void expect_word(ClusterInfo cluster, const char *expected)
{
        char word[REPLICATION_TEXT_WORD_MAX];

        replication_text_word(word, &cluster);
        assert_string_equal(word, expected);
}

static void expect_printed(ClusterInfo cluster, const char *expected)
{
        char *text = NULL;
        size_t size = 0;
        Terminal terminal = {.stream = open_memstream(&text, &size),
                .columns = TERMINAL_COLUMNS_MAX,
                .now_usec = NOW};

        assert_non_null(terminal.stream);
        replication_text_print_lines(&terminal, 2, &cluster);
        assert_int_equal(fclose(terminal.stream), 0);
        assert_string_equal(text, expected);
        free(text);
}

static void test_a_running_replica_shows_how_late_it_is(void **state)
{
        ClusterInfo cluster = running();

        expect_word(cluster, "running, lag 0s");
        cluster.replication.lag_sec = 200;
        expect_word(cluster, "running, lag 3min 20s");
        cluster.replication.lag_sec = 40 * 86400;
        expect_word(cluster, "running, lag 40d");
        cluster.replication.lag_known = false;
        expect_word(cluster, "running, lag ?");
}

static void test_a_replica_without_tls_shows_that(void **state)
{
        ClusterInfo cluster = running();

        cluster.replication.tls = TRISTATE_NO;
        expect_word(cluster, "running, no TLS");
        assert_true(replication_text_needs_lines(&cluster));
        cluster.replication.tls = TRISTATE_UNKNOWN;
        expect_word(cluster, "running, lag 0s");
        assert_false(replication_text_needs_lines(&cluster));
        expect_printed(cluster, "  repl: db1.example:3306, lag 0s; read 42s ago\n");
}

static void test_replication_that_is_not_looked_at_has_no_word(void **state)
{
        ClusterInfo cluster = running();

        cluster.replication = (Replication){0};
        expect_word(cluster, "unknown");
        assert_true(replication_text_is_known_of(&cluster));
        expect_printed(cluster, "  repl: not read yet\n");
        strcpy(cluster.replication_mode, "ignore");
        expect_word(cluster, "-");
        assert_false(replication_text_is_known_of(&cluster));
        expect_printed(cluster, "");
        strcpy(cluster.replication_mode, "restart");
        cluster.state = CLUSTER_DISABLED;
        expect_word(cluster, "-");
}

static void test_only_what_the_column_does_not_say_needs_lines(void **state)
{
        static const struct {
                const char *io_running, *word;
                unsigned io_errno;
                bool stopped_by_us, needed;
        } cases[] = {
                {"Yes", "running, lag 0s", 0, false, false},
                {"Connecting", "connecting", 0, false, false},
                {"Connecting", "failing", 2026, false, true},
                {"No", "stopped", 0, false, true},
                {"No", "stopped by import", 0, true, true},
                {"", "unknown", 0, false, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                ClusterInfo cluster = running();

                strcpy(cluster.replication.io_running, cases[i].io_running);
                cluster.replication.io_errno = cases[i].io_errno;
                cluster.replication.stopped_by_us = cases[i].stopped_by_us;
                expect_word(cluster, cases[i].word);
                assert_int_equal(replication_text_needs_lines(&cluster), cases[i].needed);
        }
}

static void test_the_lines_have_source_tls_lag_and_time(void **state)
{
        ClusterInfo cluster = running();

        expect_printed(cluster, "  repl: db1.example:3306 over TLS, lag 0s; read 42s ago\n");
        cluster.replication.tls = TRISTATE_NO;
        cluster.replication.lag_known = false;
        cluster.replication.source_host[0] = '\0';
        expect_printed(cluster,
                "  repl: a source that is not reported without TLS, lag unknown; read 42s ago\n");
}

static void test_a_server_without_a_source_shows_that(void **state)
{
        ClusterInfo cluster = running();

        cluster.replication.configured = false;
        expect_word(cluster, "not configured");
        assert_false(replication_text_needs_lines(&cluster));
        expect_printed(cluster, "  repl: no source; read 42s ago\n");
}

static void test_a_stop_that_was_not_read_since_shows_its_time(void **state)
{
        ClusterInfo cluster = running();

        replication_set_stopped(&cluster.replication, NOW - 90 * USEC_PER_SEC);
        expect_printed(cluster, "  repl: stopped 1min 30s ago, not read since\n");
        cluster = running();
        cluster.replication.stopped_by_us = true;
        expect_printed(cluster, "  repl: db1.example:3306 over TLS, lag 0s; read 42s ago\n");
}

static void test_an_error_is_printed_with_its_number_unless_it_is_the_reason(void **state)
{
        ClusterInfo cluster = running();

        cluster.replication.configured = true;
        cluster.replication.io_errno = 2026;
        strcpy(cluster.replication.io_error, "TLS");
        cluster.replication.sql_errno = 1062;
        strcpy(cluster.replication.sql_error, "duplicate");
        expect_printed(cluster,
                "  repl: db1.example:3306 over TLS, lag 0s; read 42s ago\n"
                "  I/O:  error 2026: TLS\n"
                "  SQL:  error 1062: duplicate\n");
        strcpy(cluster.reason, "replication I/O thread (error 2026): TLS");
        expect_printed(cluster,
                "  repl: db1.example:3306 over TLS, lag 0s; read 42s ago\n"
                "  SQL:  error 1062: duplicate\n");
        cluster.replication.sql_error[0] = '\0';
        expect_printed(cluster,
                "  repl: db1.example:3306 over TLS, lag 0s; read 42s ago\n"
                "  SQL:  error 1062\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_running_replica_shows_how_late_it_is),
                cmocka_unit_test(test_a_replica_without_tls_shows_that),
                cmocka_unit_test(test_replication_that_is_not_looked_at_has_no_word),
                cmocka_unit_test(test_only_what_the_column_does_not_say_needs_lines),
                cmocka_unit_test(test_the_lines_have_source_tls_lag_and_time),
                cmocka_unit_test(test_a_server_without_a_source_shows_that),
                cmocka_unit_test(test_a_stop_that_was_not_read_since_shows_its_time),
                cmocka_unit_test(test_an_error_is_printed_with_its_number_unless_it_is_the_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
