#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/model/replication-duty.h"

static const RecordStop no_stop;
static const RecordStop begun = {.at_usec = 1, .log_file = "b.1", .log_position = 4};
static const RecordStop completed = {
        .at_usec = 1, .log_file = "b.1", .log_position = 7, .completed = true};

/* What each replica has executed. */
static const ReplicationSource executed = {.log_file = "b.1", .log_position = 7};

static Replication replica(
        const char *io_running, unsigned io_errno, const char *sql_running, unsigned sql_errno)
{
        Replication row = {.io_errno = io_errno,
                .sql_errno = sql_errno,
                .tls = TRISTATE_YES,
                .lag_known = true};
        Replication replication = {.known = true};

        text_set(row.io_running, sizeof(row.io_running), io_running);
        text_set(row.sql_running, sizeof(row.sql_running), sql_running);
        replication_add_channel(&replication, &row);
        return replication;
}

static const struct {
        const char *io_running;
        unsigned io_errno;
        const char *sql_running;
        unsigned sql_errno;
        ReplicationDuty alone, ours; /* without a stop on record, and with one */
} cases[] = {
        {"Yes", 0, "Yes", 0, REPLICATION_DUTY_STOP, REPLICATION_DUTY_STOP},
        {"Connecting", 0, "Yes", 0, REPLICATION_DUTY_STOP, REPLICATION_DUTY_STOP},
        {"Connecting", 2026, "Yes", 0, REPLICATION_DUTY_STOP, REPLICATION_DUTY_STOP},
        {"No", 2026, "Yes", 0, REPLICATION_DUTY_STOP, REPLICATION_DUTY_STOP},
        {"No", 0, "No", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_START},
        {"NO", 0, "no", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_START},
        {"No", 2026, "No", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_START},
        {"No", 2026, "No", 1062, REPLICATION_DUTY_NONE, REPLICATION_DUTY_START},
        /* One thread of a stop of ours that has not ended. */
        {"No", 0, "Yes", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_STOP},
        {"Yes", 0, "No", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_STOP},
        {"Yes", 0, "No", 1062, REPLICATION_DUTY_NONE, REPLICATION_DUTY_NONE},
        {"Connecting", 2026, "No", 1062, REPLICATION_DUTY_NONE, REPLICATION_DUTY_NONE},
        {"", 0, "Yes", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_NONE},
        {"Yes", 0, "", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_NONE},
        {"", 0, "", 0, REPLICATION_DUTY_NONE, REPLICATION_DUTY_NONE},
};

static void test_only_what_is_ours_is_started(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Replication replication = replica(cases[i].io_running, cases[i].io_errno,
                        cases[i].sql_running, cases[i].sql_errno);

                assert_int_equal(
                        replication_duty(&replication, &executed, &no_stop), cases[i].alone);
                assert_int_equal(replication_duty(&replication, &executed, &begun), cases[i].ours);
                assert_int_equal(
                        replication_duty(&replication, &executed, &completed), cases[i].ours);
        }
}

static void test_a_replica_that_is_not_configured_is_nobodys(void **state)
{
        Replication replication = {.known = true};

        assert_int_equal(
                replication_duty(&replication, &executed, &no_stop), REPLICATION_DUTY_NONE);
        assert_int_equal(
                replication_duty(&replication, &executed, &completed), REPLICATION_DUTY_NONE);
}

static void test_a_replica_that_has_moved_was_started_by_somebody(void **state)
{
        Replication replication = replica("No", 0, "No", 0);
        ReplicationSource source = executed;

        source.log_position++;
        assert_false(replication_is_stopped_by(&replication, &source, &completed));
        assert_int_equal(
                replication_duty(&replication, &source, &completed), REPLICATION_DUTY_NONE);
        assert_int_equal(replication_duty(&replication, &source, &begun), REPLICATION_DUTY_START);
        source.log_position--;
        text_set(source.log_file, sizeof(source.log_file), "b.2");
        assert_int_equal(
                replication_duty(&replication, &source, &completed), REPLICATION_DUTY_NONE);
        source.log_file[0] = '\0'; /* as after a change to auto-position */
        assert_int_equal(
                replication_duty(&replication, &source, &completed), REPLICATION_DUTY_START);
}

static void test_one_channel_is_enough_to_leave_all(void **state)
{
        Replication running = replica("Yes", 0, "Yes", 0), failing = replica("No", 2026, "Yes", 0);
        Replication stopped = replica("No", 0, "No", 0), replication = {.known = true};

        replication_add_channel(&replication, &failing);
        replication_add_channel(&replication, &running);
        assert_int_equal(
                replication_duty(&replication, &executed, &no_stop), REPLICATION_DUTY_STOP);
        replication_add_channel(&replication, &stopped);
        assert_int_equal(replication.io_errno, 2026);
        assert_int_equal(
                replication_duty(&replication, &executed, &no_stop), REPLICATION_DUTY_NONE);
}

static void test_what_is_left_has_a_reason(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Replication replication = replica(cases[i].io_running, cases[i].io_errno,
                        cases[i].sql_running, cases[i].sql_errno);
                bool left = cases[i].alone == REPLICATION_DUTY_NONE;
                char reason[256];

                replication_halt_reason(reason, sizeof(reason), &replication);
                assert_int_equal(reason[0] != '\0', left);
                replication.stopped_by_us = true;
                replication_halt_reason(reason, sizeof(reason), &replication);
                assert_string_equal(reason, "");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_only_what_is_ours_is_started),
                cmocka_unit_test(test_a_replica_that_is_not_configured_is_nobodys),
                cmocka_unit_test(test_a_replica_that_has_moved_was_started_by_somebody),
                cmocka_unit_test(test_one_channel_is_enough_to_leave_all),
                cmocka_unit_test(test_what_is_left_has_a_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
