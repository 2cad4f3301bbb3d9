/* The test is the manager: its answer is in the socket before the request is sent. */

#include "tests/unit/test.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/stop-note.h"
#include "daemon/model/record.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const ClusterConfig cluster = {.replication = REPLICATION_RESTART};

/* Returns the result; the request is in `ret`. */
static int write_note(RecordStop *ret, const char *log_file, int answer)
{
        CLEANUP(secret_done) Secret secret = SECRET_NULL;
        CLEANUP(redactor_done) Redactor password = REDACTOR_NULL;
        Redactor key = REDACTOR_NULL;
        Replication replication = {
                .known = true, .configured = true, .io_running = "Yes", .sql_running = "Yes"};
        ReplicationSource source = {.log_position = 4711};
        JobLink link;
        ImportTask task = {.cluster = &cluster, .set.fingerprint = A, .link = &link};
        int pair[2], r;

        assert_int_equal(secret_append(&secret, "a password", 10), 0);
        assert_int_equal(redactor_set_text(&password, &secret), 0);
        text_set(source.log_file, sizeof(source.log_file), log_file);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        link.fd = pair[0];
        assert_int_equal(write(pair[1], &answer, sizeof(answer)), sizeof(answer));
        r = stop_note_write(&(StopNote){&password, &key}, &task, &replication, &source, true,
                clock_boottime_usec() + USEC_PER_MIN);
        assert_int_equal(read(pair[1], ret, sizeof(*ret)), sizeof(*ret));
        (void)close(pair[0]);
        (void)close(pair[1]);
        return r;
}

static void test_the_request_has_set_mode_and_coordinates(void **state)
{
        uint64_t before = clock_wall_usec();
        RecordStop stop;

        assert_int_equal(write_note(&stop, "binlog.000001", 0), 0);
        assert_in_range(stop.at_usec, before, before + USEC_PER_HOUR);
        assert_string_equal(stop.fingerprint, A);
        assert_int_equal(stop.mode, REPLICATION_RESTART);
        assert_string_equal(stop.log_file, "binlog.000001");
        assert_int_equal(stop.log_position, 4711);
        assert_true(stop.completed);
        assert_true(stop.running);
}

static void test_a_refusal_is_the_error_of_the_manager(void **state)
{
        RecordStop stop;

        assert_int_equal(write_note(&stop, "binlog.000001", -EROFS), -EROFS);
}

static void test_a_secret_that_the_server_repeats_is_not_sent(void **state)
{
        RecordStop stop;

        assert_int_equal(write_note(&stop, "of a password.1", 0), 0);
        assert_null(strstr(stop.log_file, "password"));
        assert_non_null(strstr(stop.log_file, "of "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_request_has_set_mode_and_coordinates),
                cmocka_unit_test(test_a_refusal_is_the_error_of_the_manager),
                cmocka_unit_test(test_a_secret_that_the_server_repeats_is_not_sent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
