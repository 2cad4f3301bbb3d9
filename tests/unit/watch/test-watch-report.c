#include "tests/unit/test.h"

#include <string.h>

#include "common/clock.h"
#include "daemon/watch/watch-report.h"

#define NOW UINT64_C(1000000000)

static const MaterialConfig config = {.poll_interval_usec = 30 * USEC_PER_SEC};

static WatchReport good(void)
{
        WatchReport report = {.event = WATCH_UNCHANGED,
                .due_usec = NOW + 31 * USEC_PER_SEC,
                .status = {.watch = "inotify", .watching = true}};

        return report;
}

static bool is_valid(const WatchReport *report)
{
        return watch_report_is_valid(report, sizeof(*report), &config, NOW);
}

static void test_what_a_watcher_sends_is_valid(void **state)
{
        WatchReport report = good();

        for (WatchEvent one = 0; one < _WATCH_EVENT_MAX; one++) {
                report.event = one;
                assert_true(is_valid(&report));
        }
        report.due_usec = 0; /* long ago: the process was stopped after the send */
        assert_true(is_valid(&report));
        memset(report.status.watch, 'x', sizeof(report.status.watch) - 1);
        assert_true(is_valid(&report));
}

static void test_another_size_is_invalid(void **state)
{
        WatchReport report = good();

        assert_false(watch_report_is_valid(&report, sizeof(report) - 1, &config, NOW));
        assert_false(watch_report_is_valid(&report, sizeof(report) + 1, &config, NOW));
        assert_false(watch_report_is_valid(&report, 0, &config, NOW));
}

static void test_an_unknown_event_is_invalid(void **state)
{
        WatchReport report = good();

        report.event = _WATCH_EVENT_MAX;
        assert_false(is_valid(&report));
        memset(&report.event, 0xff, sizeof(report.event));
        assert_false(is_valid(&report));
}

static void test_a_report_that_is_due_later_than_the_next_poll_is_invalid(void **state)
{
        WatchReport report = good();

        report.due_usec++;
        assert_false(is_valid(&report));
        report.due_usec = USEC_NEVER;
        assert_false(is_valid(&report));
}

static void test_a_text_without_end_or_with_control_characters_is_invalid(void **state)
{
        WatchReport report = good();

        memcpy(report.status.watch, "poll\n<0>forged", sizeof("poll\n<0>forged"));
        assert_false(is_valid(&report));
        memset(report.status.watch, 'x', sizeof(report.status.watch));
        assert_false(is_valid(&report));
}

static void test_a_boolean_is_0_or_1(void **state)
{
        WatchReport report = good();

        memset(&report.status.watching, 2, sizeof(report.status.watching));
        assert_false(is_valid(&report));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_a_watcher_sends_is_valid),
                cmocka_unit_test(test_another_size_is_invalid),
                cmocka_unit_test(test_an_unknown_event_is_invalid),
                cmocka_unit_test(test_a_report_that_is_due_later_than_the_next_poll_is_invalid),
                cmocka_unit_test(test_a_text_without_end_or_with_control_characters_is_invalid),
                cmocka_unit_test(test_a_boolean_is_0_or_1),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
