#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/mysql/replica-status.h"

/* A row of a replica that runs; each test breaks one column. */
static const char *const new_names[] = {"Replica_IO_State", "Source_Host", "Source_User",
        "Source_Port", "Replica_IO_Running", "Replica_SQL_Running", "Relay_Source_Log_File",
        "Exec_Source_Log_Pos", "Source_SSL_Allowed", "Seconds_Behind_Source", "Last_IO_Errno",
        "Last_IO_Error", "Last_SQL_Errno", "Last_SQL_Error", "Auto_Position", "Executed_Gtid_Set"};
static const char *const old_names[] = {"Slave_IO_State", "Master_Host", "Master_User",
        "Master_Port", "Slave_IO_Running", "Slave_SQL_Running", "Relay_Master_Log_File",
        "Exec_Master_Log_Pos", "Master_SSL_Allowed", "Seconds_Behind_Master", "Last_IO_Errno",
        "Last_IO_Error", "Last_SQL_Errno", "Last_SQL_Error", "Using_Gtid", "Gtid_IO_Pos"};

#define COLUMNS ARRAY_SIZE(new_names)

typedef struct Row {
        const char *values[COLUMNS];
} Row;

static Row running(void)
{
        return (Row){{"Waiting for source to send event", "source.example", "repl", "3307", "Yes",
                "Yes", "binlog.000007", "4711", "Yes", "12", "0", "", "0", "", "0", ""}};
}

static const char **value(Row *row, const char *name)
{
        for (size_t i = 0; i < COLUMNS; i++)
                if (strcmp(new_names[i], name) == 0)
                        return &row->values[i];
        fail_msg("no column %s", name);
        return NULL;
}

static ReplicaStatus read_rows(const Row *rows, size_t n, const char *const *names)
{
        ReplicaStatus status = {.replication = {.known = true, .checked_at_usec = 5}};

        for (size_t i = 0; i < n; i++)
                replica_status_add_row(&status, COLUMNS, names, rows[i].values);
        return status;
}

static Replication read_row(Row row)
{
        return read_rows(&row, 1, new_names).replication;
}

static ReplicationSource read_source(Row row)
{
        return read_rows(&row, 1, new_names).source;
}

static void test_a_row_is_read_in_both_vocabularies(void **state)
{
        const char *const *const vocabularies[] = {new_names, old_names};

        for (size_t i = 0; i < ARRAY_SIZE(vocabularies); i++) {
                Row row = running();
                ReplicaStatus status = read_rows(&row, 1, vocabularies[i]);
                Replication replication = status.replication;

                assert_true(replication.known && replication.configured);
                assert_int_equal(replication.n_channels, 1);
                assert_true(replication_is_running(&replication));
                assert_string_equal(replication.source_host, "source.example");
                assert_int_equal(replication.source_port, 3307);
                assert_string_equal(status.source.user, "repl");
                assert_string_equal(status.source.log_file, "binlog.000007");
                assert_int_equal(status.source.log_position, 4711);
                assert_int_equal(replication.tls, TRISTATE_YES);
                assert_true(replication.lag_known);
                assert_int_equal(replication.lag_sec, 12);
                assert_int_equal(status.source.auto_position, TRISTATE_NO);
                assert_int_equal(replication.checked_at_usec, 5);
        }
}

static void test_names_are_read_in_any_case(void **state)
{
        const char *const names[] = {"replica_io_running", "REPLICA_SQL_RUNNING"};
        const char *const values[] = {"YES", "yes"};
        ReplicaStatus status = {.replication.known = true};

        replica_status_add_row(&status, 2, names, values);
        assert_true(replication_is_running(&status.replication));
}

static void test_columns_that_are_missing_stay_unknown(void **state)
{
        ReplicaStatus status = {.replication.known = true};
        Replication replication;
        Row row = {{0}};

        replica_status_add_row(&status, 0, new_names, row.values);
        replication = status.replication;
        assert_true(replication.configured);
        assert_false(replication_is_running(&replication));
        assert_false(replication.lag_known);
        assert_int_equal(replication.tls, TRISTATE_UNKNOWN);
        assert_int_equal(status.source.auto_position, TRISTATE_UNKNOWN);
        replication = read_row(row);
        assert_true(replication.configured);
        assert_false(replication.lag_known);
        assert_string_equal(replication.source_host, "");
}

static void test_a_position_that_a_record_cannot_have_is_unknown(void **state)
{
        static const char *const positions[] = {
                NULL, "", "-1", "9223372036854775808", "18446744073709551615"};

        for (size_t i = 0; i < ARRAY_SIZE(positions); i++) {
                Row row = running();

                *value(&row, "Exec_Source_Log_Pos") = positions[i];
                assert_int_equal(read_rows(&row, 1, new_names).source.log_position, 0);
        }
}

static void test_a_lag_that_is_no_number_is_unknown(void **state)
{
        static const char *const lags[] = {NULL, "", "-1", "NULL", "12x", "99999999999999999999"};

        for (size_t i = 0; i < ARRAY_SIZE(lags); i++) {
                Row row = running();

                *value(&row, "Seconds_Behind_Source") = lags[i];
                assert_false(read_row(row).lag_known);
        }
}

static void test_numbers_that_are_none_are_ignored(void **state)
{
        Row row = running();
        Replication replication;

        *value(&row, "Last_IO_Errno") = "99999999999";
        *value(&row, "Source_Port") = "x";
        *value(&row, "Exec_Source_Log_Pos") = "12 34";
        *value(&row, "Executed_Gtid_Set") = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-";
        replication = read_row(row);
        assert_int_equal(replication.io_errno, 0);
        assert_int_equal(replication.source_port, 0);
        assert_int_equal(read_source(row).log_position, 0);
}

static void test_gtids_are_found_in_both_vocabularies(void **state)
{
        static const struct {
                const char *value;
                Tristate expected;
        } cases[] = {{"0", TRISTATE_NO}, {"No", TRISTATE_NO}, {"1", TRISTATE_YES},
                {"Slave_Pos", TRISTATE_YES}, {"Current_Pos", TRISTATE_YES},
                {NULL, TRISTATE_UNKNOWN}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Row row = running();

                *value(&row, "Auto_Position") = cases[i].value;
                assert_int_equal(read_source(row).auto_position, cases[i].expected);
                assert_int_equal(
                        read_rows(&row, 1, old_names).source.auto_position, cases[i].expected);
        }
}

/* The worst of three channels, in each order. */
static void expect_worst(Row a, Row b, Row worst, const char *expected_user)
{
        Row rows[][3] = {{a, b, worst}, {a, worst, b}, {worst, b, a}, {b, worst, a}};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                for (size_t k = 0; k < 3; k++)
                        *value(&rows[i][k], "Source_User") = "other";
                *value(&rows[i][i == 0 ? 2 : i == 2 ? 0 : 1], "Source_User") = expected_user;
                ReplicaStatus status = read_rows(rows[i], 3, new_names);

                assert_int_equal(status.replication.n_channels, 3);
                assert_string_equal(status.source.user, expected_user);
                assert_int_equal(status.replication.checked_at_usec, 5);
        }
}

static void test_of_several_channels_the_worst_counts(void **state)
{
        Row connecting = running(), stopped = running(), io_fails = running(),
            sql_fails = running();
        Row plain = running();

        *value(&connecting, "Replica_IO_Running") = "Connecting";
        *value(&stopped, "Replica_IO_Running") = "No";
        *value(&io_fails, "Replica_IO_Running") = "Connecting";
        *value(&io_fails, "Last_IO_Errno") = "2026";
        *value(&sql_fails, "Replica_SQL_Running") = "No";
        *value(&sql_fails, "Last_SQL_Errno") = "1062";
        *value(&plain, "Source_SSL_Allowed") = "No";
        expect_worst(running(), running(), plain, "plain");
        expect_worst(plain, running(), connecting, "connecting");
        expect_worst(running(), connecting, stopped, "stopped");
        expect_worst(stopped, connecting, io_fails, "failing");
        expect_worst(stopped, running(), sql_fails, "failing");
}

static void test_a_lag_alone_is_no_other_answer(void **state)
{
        Row row = running();
        Replication before = read_row(row), after;

        *value(&row, "Seconds_Behind_Source") = "13";
        after = read_row(row);
        assert_true(replication_equal(&before, &after));
        *value(&row, "Seconds_Behind_Source") = NULL;
        after = read_row(row);
        assert_false(replication_equal(&before, &after));
        *value(&row, "Seconds_Behind_Source") = "13";
        *value(&row, "Source_Host") = "other.example";
        after = read_row(row);
        assert_false(replication_equal(&before, &after));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_row_is_read_in_both_vocabularies),
                cmocka_unit_test(test_names_are_read_in_any_case),
                cmocka_unit_test(test_columns_that_are_missing_stay_unknown),
                cmocka_unit_test(test_a_position_that_a_record_cannot_have_is_unknown),
                cmocka_unit_test(test_a_lag_that_is_no_number_is_unknown),
                cmocka_unit_test(test_numbers_that_are_none_are_ignored),
                cmocka_unit_test(test_gtids_are_found_in_both_vocabularies),
                cmocka_unit_test(test_of_several_channels_the_worst_counts),
                cmocka_unit_test(test_a_lag_alone_is_no_other_answer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
