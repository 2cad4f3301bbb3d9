#include "tests/unit/test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/status/watchdog.h"
#include "tests/unit/scratch.h"
#include "tests/unit/status-fixture.h"

#define START (1000 * USEC_PER_SEC)

static void expect(
        const StatusFixture *status, uint64_t now_usec, WatchdogFault fault, const char *name)
{
        const char *found;

        assert_int_equal(watchdog_find_fault(&status->status, now_usec, &found), fault);
        if (name)
                assert_string_equal(found, name);
        else
                assert_null(found);
}

static void test_a_look_at_a_watch_process_may_be_a_little_late(void **state)
{
        StatusFixture status;

        status_fixture_make(&status);
        expect(&status, START, WATCHDOG_NO_FAULT, NULL); /* nothing is due */
        status.watch_process.deadline_usec = START;
        expect(&status, START + WATCHDOG_GRACE_USEC, WATCHDOG_NO_FAULT, NULL);
        expect(&status, START + WATCHDOG_GRACE_USEC + 1, WATCHDOG_WATCH_OVERDUE,
                status.material_config.name);
}

static void test_a_file_system_that_does_not_respond_is_no_fault_of_the_manager(void **state)
{
        StatusFixture status;

        status_fixture_make(&status);
        status.watch_process.deadline_usec = START;
        status.material.not_responding_since_at_usec = 1;
        status.watch.checked_at_usec = 1;
        expect(&status, START, WATCHDOG_NO_FAULT, NULL);
}

static void test_an_importer_may_end_a_little_after_its_deadline(void **state)
{
        StatusFixture status;

        status_fixture_make(&status);
        status.status.n_clusters = 2;
        status.cluster[1].deadline_usec = START;
        expect(&status, START + WATCHDOG_GRACE_USEC, WATCHDOG_NO_FAULT, NULL);
        expect(&status, START + WATCHDOG_GRACE_USEC + 1, WATCHDOG_IMPORTER_OVERDUE, "users");
        status.cluster[1].deadline_usec = 0; /* it ended */
        expect(&status, START + WATCHDOG_GRACE_USEC + 1, WATCHDOG_NO_FAULT, NULL);
}

static ManagerStatus get_status(void *userdata)
{
        return ((StatusFixture *)userdata)->status;
}

static int listen_for_pings(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("notify"));
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        setenv("NOTIFY_SOCKET", address.sun_path, 1);
        return fd;
}

static unsigned count_pings(int fd, sd_event *event, uint64_t usec)
{
        uint64_t end = clock_boottime_usec() + usec;
        char message[64];
        unsigned n = 0;
        ssize_t size;

        while (clock_boottime_usec() < end)
                assert_true(sd_event_run(event, 10 * USEC_PER_MSEC) >= 0);
        while ((size = recv(fd, message, sizeof(message), 0)) > 0)
                n += (size_t)size == strlen("WATCHDOG=1") &&
                        memcmp(message, "WATCHDOG=1", (size_t)size) == 0;
        return n;
}

static void test_pings_are_sent_periodically_and_stop_with_a_fault(void **state)
{
        CLEANUP(watchdog_freep) Watchdog *watchdog = NULL;
        sd_event *event;
        StatusFixture status;
        int fd = listen_for_pings();

        status_fixture_make(&status);
        unsetenv("WATCHDOG_PID");
        setenv("WATCHDOG_USEC", "150000", 1);
        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(watchdog_new(&watchdog, event, get_status, &status), 0);
        assert_non_null(watchdog);
        assert_true(count_pings(fd, event, 500 * USEC_PER_MSEC) >= 2);
        status.cluster[0].deadline_usec = 1;
        assert_int_equal(count_pings(fd, event, 200 * USEC_PER_MSEC), 0);
        status.cluster[0].deadline_usec = 0;
        assert_true(count_pings(fd, event, 500 * USEC_PER_MSEC) >= 1);
        watchdog = watchdog_free(watchdog);
        sd_event_unref(event);
        close(fd);
}

static void test_a_service_without_a_watchdog_sends_no_pings(void **state)
{
        Watchdog *watchdog;
        sd_event *event;

        unsetenv("WATCHDOG_USEC");
        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(watchdog_new(&watchdog, event, get_status, NULL), 0);
        assert_null(watchdog);
        sd_event_unref(event);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_look_at_a_watch_process_may_be_a_little_late),
                cmocka_unit_test(
                        test_a_file_system_that_does_not_respond_is_no_fault_of_the_manager),
                cmocka_unit_test(test_an_importer_may_end_a_little_after_its_deadline),
                scratch_test(test_pings_are_sent_periodically_and_stop_with_a_fault),
                cmocka_unit_test(test_a_service_without_a_watchdog_sends_no_pings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
