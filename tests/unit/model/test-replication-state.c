#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/model/replication-state.h"

#define ROW(io, sql) .known = true, .configured = true, .io_running = io, .sql_running = sql

static void expect_state(Replication replication, ReplicationState expected)
{
        assert_int_equal(replication_state(&replication), expected);
}

static void expect_reason(Replication replication, const char *expected)
{
        char text[512];

        replication_state_reason(text, sizeof(text), &replication);
        assert_string_equal(text, expected);
}

/* Returns true if the next step contains `part`, or is empty and `part` is. */
static bool has_step(Replication replication, const char *part)
{
        const char *step = replication_state_next_step(&replication, REPLICATION_RESTART);

        return part[0] == '\0' ? step[0] == '\0' : strstr(step, part) != NULL;
}

static void test_what_was_not_read_is_unknown_and_no_problem(void **state)
{
        expect_state((Replication){0}, REPLICATION_STATE_UNKNOWN);
        expect_reason((Replication){0}, "");
        assert_true(has_step((Replication){0}, ""));
}

static void test_a_server_without_a_source_is_not_configured(void **state)
{
        expect_state((Replication){.known = true}, REPLICATION_STATE_NOT_CONFIGURED);
        expect_reason((Replication){.known = true}, "");
        assert_true(has_step((Replication){.known = true}, ""));
}

static void test_a_replica_runs_with_both_threads(void **state)
{
        Replication replication = {ROW("Yes", "Yes"), .lag_known = true, .io_errno = 2003};

        expect_state(replication, REPLICATION_STATE_RUNNING);
        expect_reason(replication, "");
        assert_true(has_step(replication, ""));
}

static void test_a_replica_that_does_not_report_its_lag_has_a_reason(void **state)
{
        Replication replication = {ROW("Yes", "Yes")};

        expect_state(replication, REPLICATION_STATE_RUNNING);
        expect_reason(replication, "replication runs, but its lag is not reported");
        assert_true(has_step(replication, "SHOW REPLICA STATUS"));
}

static void test_a_replica_that_connects_without_error_has_no_reason(void **state)
{
        static const char *const words[] = {"Connecting", "Preparing"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                Replication replication = {ROW("", "Yes")};

                strcpy(replication.io_running, words[i]);
                expect_state(replication, REPLICATION_STATE_CONNECTING);
                expect_reason(replication, "");
                assert_true(has_step(replication, ""));
        }
}

static void test_a_server_that_does_not_report_both_threads_has_a_reason(void **state)
{
        Replication replication = {ROW("Yes", "")};

        expect_state(replication, REPLICATION_STATE_UNKNOWN);
        expect_reason(
                replication, "the server does not report whether both replication threads run");
        assert_true(has_step(replication, "SHOW REPLICA STATUS"));
        expect_state((Replication){ROW("", "No")}, REPLICATION_STATE_UNKNOWN);
}

static void test_both_threads_stopped_are_a_persons_stop(void **state)
{
        Replication replication = {ROW("No", "No")};

        expect_state(replication, REPLICATION_STATE_STOPPED);
        expect_reason(replication, "replication is stopped, not by binlog-ssld, and stays stopped");
        assert_string_equal(replication_state_next_step(&replication, REPLICATION_OBSERVE),
                "if that is intended, nothing; to start it: CALL mysql.rds_start_replication() on "
                "the cluster");
        assert_string_equal(replication_state_next_step(&replication, REPLICATION_REPOINT),
                "if that is intended, nothing; to start it with the imported set: CALL "
                "mysql.rds_start_replication() on the cluster, then binlog-sslctl import --force");
        replication.io_errno = 2003; /* from before the stop */
        expect_state(replication, REPLICATION_STATE_STOPPED);
}

static void test_one_thread_stopped_is_a_persons_stop_and_needs_a_stop_first(void **state)
{
        Replication io = {ROW("No", "Yes")}, sql = {ROW("Yes", "No")};

        expect_state(io, REPLICATION_STATE_STOPPED);
        expect_reason(
                io, "the replication I/O thread is stopped, not by binlog-ssld, and stays stopped");
        assert_true(has_step(io, "CALL mysql.rds_stop_replication(), then CALL"));
        expect_state(sql, REPLICATION_STATE_STOPPED);
        expect_reason(sql,
                "the replication SQL thread is stopped, not by binlog-ssld, and stays stopped");
}

static void test_a_stop_of_this_program_is_described_by_the_record(void **state)
{
        Replication replication = {ROW("No", "No"), .stopped_by_us = true};

        expect_state(replication, REPLICATION_STATE_STOPPED_BY_US);
        expect_reason(replication, "");
        assert_true(has_step(replication, ""));
        replication_set_stopped(&replication, 1);
        expect_state(replication, REPLICATION_STATE_STOPPED_BY_US);
}

static void test_a_failing_thread_is_named_with_its_error(void **state)
{
        Replication io = {ROW("Connecting", "Yes"), .io_errno = 1045, .io_error = "denied"};
        Replication sql = {ROW("Yes", "No"), .sql_errno = 1062, .sql_error = "duplicate"};

        expect_state(io, REPLICATION_STATE_FAILING);
        expect_reason(io, "replication I/O thread (error 1045): denied");
        expect_state(sql, REPLICATION_STATE_FAILING);
        expect_reason(sql, "replication SQL thread (error 1062): duplicate");
        assert_true(has_step(sql, "repair the cause"));
        strcpy(sql.io_running, "No"); /* a person stopped the other thread */
        expect_state(sql, REPLICATION_STATE_FAILING);
}

static void test_each_error_of_the_io_thread_has_its_next_step(void **state)
{
        static const struct {
                unsigned number;
                const char *step;
        } cases[] = {
                {1236, "only a person can decide"},
                {13114, "only a person can decide"},
                {2026, "binlog-sslctl import --force"},
                {1045, "check the account of replication on the source"},
                {3118, "check the account of replication on the source"},
                {2003, "check the way from the cluster to the source"},
                {1593, "look at SHOW REPLICA STATUS"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Replication replication = {ROW("No", "Yes"), .io_errno = cases[i].number};

                assert_true(has_step(replication, cases[i].step));
        }
}

static void test_a_second_connect_that_ends_without_a_reason_is_no_accident(void **state)
{
        Replication replication = {ROW("Connecting", "Yes"), .io_errno = 2013};

        strcpy(replication.io_error, "Lost connection");
        assert_true(has_step(replication, "if it stays, the source ends the connection"));
        replication.io_repeated = true;
        assert_true(has_step(replication, "the source ends each connection, as one that refuses"));
        assert_false(has_step(replication, "if it stays"));
}

static void test_no_step_moves_the_position_of_a_replica(void **state)
{
        Replication replication = {ROW("No", "Yes"), .io_errno = 1236};

        assert_true(has_step(replication, "binlog-ssld never moves that position"));
        assert_false(has_step(replication, "CALL"));
}

static void test_states_are_spelled_as_documented(void **state)
{
        static const char *const names[] = {"unknown", "not configured", "running", "connecting",
                "stopped", "stopped by import", "failing"};

        assert_int_equal(ARRAY_SIZE(names), _REPLICATION_STATE_MAX);
        for (ReplicationState one = 0; one < _REPLICATION_STATE_MAX; one++)
                assert_string_equal(replication_state_to_string(one), names[one]);
        assert_string_equal(replication_state_to_string(_REPLICATION_STATE_MAX), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_was_not_read_is_unknown_and_no_problem),
                cmocka_unit_test(test_a_server_without_a_source_is_not_configured),
                cmocka_unit_test(test_a_replica_runs_with_both_threads),
                cmocka_unit_test(test_a_replica_that_does_not_report_its_lag_has_a_reason),
                cmocka_unit_test(test_a_replica_that_connects_without_error_has_no_reason),
                cmocka_unit_test(test_a_server_that_does_not_report_both_threads_has_a_reason),
                cmocka_unit_test(test_both_threads_stopped_are_a_persons_stop),
                cmocka_unit_test(test_one_thread_stopped_is_a_persons_stop_and_needs_a_stop_first),
                cmocka_unit_test(test_a_stop_of_this_program_is_described_by_the_record),
                cmocka_unit_test(test_a_failing_thread_is_named_with_its_error),
                cmocka_unit_test(test_each_error_of_the_io_thread_has_its_next_step),
                cmocka_unit_test(test_a_second_connect_that_ends_without_a_reason_is_no_accident),
                cmocka_unit_test(test_no_step_moves_the_position_of_a_replica),
                cmocka_unit_test(test_states_are_spelled_as_documented),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
