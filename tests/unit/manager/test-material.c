#include "tests/unit/manager/material-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void test_the_first_inspection_starts_with_the_first_report_of_the_watch(void **state)
{
        assert_int_equal(fixture.n_inspections, 1);
        assert_false(fixture.status->inspected);
        assert_int_equal(fixture.n_changes, 0);
        fixture_expect_no_set();
}

static void test_a_good_set_is_valid_and_has_a_payload(void **state)
{
        int fd = fixture_deliver_set(A);
        const SealedSet *set = material_set(fixture.material);

        assert_int_equal(fixture.status->state, MATERIAL_STATE_VALID);
        assert_int_equal(fixture.status->since_usec, fixture.now);
        assert_int_equal(fixture.n_changes, 1);
        assert_string_equal(set->info.fingerprint, A);
        assert_int_equal(set->info.not_after_usec, fixture.wall + 30 * USEC_PER_DAY);
        assert_int_equal(set->payload_fd, fd);
        assert_true(is_open(fd));
}

static void test_the_payload_of_a_set_that_is_replaced_is_closed(void **state)
{
        int first = fixture_deliver_set(A), second;

        fixture_notify(WATCH_JOB_READ);
        second = fixture_deliver_set(B);
        assert_false(is_open(first));
        assert_string_equal(material_set(fixture.material)->info.fingerprint, B);
        assert_int_equal(material_set(fixture.material)->payload_fd, second);
}

static void test_a_set_that_somebody_else_keeps_stays_open(void **state)
{
        int fd = fixture_deliver_set(A);
        SealedSet *kept = sealed_set_ref(material_set(fixture.material));

        fixture_notify(WATCH_JOB_READ);
        fixture_deliver_set(B);
        assert_true(is_open(fd));
        assert_string_equal(kept->info.fingerprint, A);
        sealed_set_unref(kept);
        assert_false(is_open(fd));
}

static void test_a_wave_belongs_to_a_set_and_its_progress_is_no_change(void **state)
{
        WaveStatus wave = {.state = WAVE_HOLDING, .canary = "orders"};
        unsigned n;

        fixture_deliver_set(A);
        n = fixture.n_changes;
        material_set_wave(fixture.material, &wave);
        assert_int_equal(fixture.n_changes, n + 1);
        wave.held_usec = 7;
        material_set_wave(fixture.material, &wave);
        assert_int_equal(fixture.n_changes, n + 1);
        assert_int_equal(fixture.status->wave.held_usec, 7);
        fixture_notify(WATCH_JOB_READ);
        fixture_deliver_set(A);
        assert_int_equal(fixture.status->wave.state, WAVE_HOLDING);
        fixture_notify(WATCH_JOB_READ);
        fixture_deliver_set(B);
        assert_int_equal(fixture.status->wave.state, WAVE_NONE);
}

static void test_the_payload_of_a_set_that_is_no_longer_good_is_closed(void **state)
{
        int fd = fixture_deliver_set(A);
        Report report = fixture_failed_report();

        fixture_notify(WATCH_JOB_READ);
        assert_true(is_open(fd)); /* good until the inspection has ended */
        fixture_deliver(&report);
        assert_false(is_open(fd));
        fixture_expect_no_set();
}

static void test_a_payload_that_comes_with_a_failed_set_is_closed(void **state)
{
        Report report = fixture_failed_report();
        InspectResult result = {.report = &report, .payload_fd = open("/dev/null", O_RDONLY)};

        fixture_end(&result);
        assert_false(is_open(result.payload_fd));
        fixture_expect_no_set();
}

static void test_a_failed_set_is_changing_and_after_settle_limit_invalid(void **state)
{
        Report report = fixture_failed_report();

        fixture_deliver(&report);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
        assert_int_equal(fixture.timer_usec, fixture.now + SETTLE_LIMIT);
        fixture_pass(SETTLE_LIMIT);
        fixture_review();
        assert_int_equal(fixture.status->state, MATERIAL_STATE_INVALID);
        assert_int_equal(fixture.status->since_usec, fixture.now);
        assert_int_equal(fixture.timer_usec, 0);
        assert_int_equal(fixture.n_inspections, 1);
}

static void test_a_failed_set_that_somebody_touches_does_not_stay_changing(void **state)
{
        Report report = fixture_failed_report();
        unsigned n = 0;

        for (; n < SETTLE_LIMIT / USEC_PER_SEC; n++) {
                if (n % 2 > 0) /* a warning is no error */
                        report_add(&report, MATERIAL_CERT, RULE_EXPIRES_SOON, SEVERITY_WARNING,
                                "in %u days", n);
                else
                        report.n_problems = 1;
                if (n > 0)
                        fixture_notify(WATCH_JOB_READ);
                fixture_deliver(&report);
                assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
                fixture_pass(USEC_PER_SEC);
        }
        fixture_notify(WATCH_JOB_READ);
        fixture_deliver(&report);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_INVALID);
}

static void test_other_errors_make_an_invalid_set_changing(void **state)
{
        Report report = fixture_failed_report(), other = report, renewed = report;

        report_add(&other, MATERIAL_CERT, RULE_PEM_MALFORMED, SEVERITY_ERROR, "cut short");
        strcpy(renewed.certificate.sha256, B);
        fixture_deliver(&report);
        fixture_pass(SETTLE_LIMIT);
        fixture_notify(WATCH_JOB_READ);
        fixture_deliver(&other);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
        assert_int_equal(fixture.timer_usec, fixture.now + SETTLE_LIMIT);
        fixture_pass(SETTLE_LIMIT);
        fixture_review();
        assert_int_equal(fixture.status->state, MATERIAL_STATE_INVALID);
        fixture_notify(WATCH_JOB_READ);
        fixture_deliver(&renewed);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
}

/* A read that was requested before the first change of a rotation can find a part of it. */
static void test_a_set_that_was_good_until_now_is_not_older_than_this_inspection(void **state)
{
        Report report = fixture_failed_report();

        fixture_deliver_set(A);
        fixture_pass(2 * SETTLE_LIMIT);
        fixture_notify(WATCH_JOB_READ);
        fixture_deliver(&report);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
        assert_int_equal(fixture.timer_usec, fixture.now + SETTLE_LIMIT);
        fixture_pass(SETTLE_LIMIT - 1);
        fixture_notify(WATCH_JOB_READ);
        fixture_deliver(&report);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
        fixture_pass(1);
        fixture_review();
        assert_int_equal(fixture.status->state, MATERIAL_STATE_INVALID);
}

static void test_files_that_change_during_the_read_are_read_again_when_settled(void **state)
{
        Report report = {.files_changed = true};

        fixture_deliver(&report);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
        assert_int_equal(fixture.watch.n_requests, 1);
        assert_int_equal(fixture.n_inspections, 1);
}

static void test_reads_requested_during_an_inspection_make_one_more(void **state)
{
        fixture_notify(WATCH_JOB_READ);
        fixture_notify(WATCH_JOB_READ);
        assert_int_equal(fixture.n_inspections, 1);
        fixture_deliver_set(A);
        assert_int_equal(fixture.n_inspections, 2);
        fixture_deliver_set(A);
        assert_int_equal(fixture.n_inspections, 2);
}

static void test_a_poll_without_a_change_inspects_nothing(void **state)
{
        fixture_deliver_set(A);
        fixture_pass(USEC_PER_MIN);
        fixture_notify(WATCH_JOB_UNCHANGED);
        assert_int_equal(fixture.n_inspections, 1);
        assert_int_equal(fixture.n_changes, 2);
        assert_int_equal(fixture.status->since_usec, fixture.now - USEC_PER_MIN);
}

static void test_a_poll_during_an_inspection_does_nothing(void **state)
{
        fixture_notify(WATCH_JOB_UNCHANGED);
        assert_int_equal(fixture.n_changes, 0);
        fixture_deliver_set(A);
        assert_int_equal(fixture.n_inspections, 1);
}

static void test_a_set_is_inspected_again_when_its_boundary_has_passed(void **state)
{
        Report report = fixture_report(A);

        report.next_boundary_usec = fixture.wall + USEC_PER_HOUR;
        fixture_deliver(&report);
        assert_int_equal(fixture.timer_usec, fixture.now + USEC_PER_HOUR);
        fixture_pass(USEC_PER_HOUR - 1);
        fixture_notify(WATCH_JOB_UNCHANGED);
        assert_int_equal(fixture.n_inspections, 1);
        fixture_pass(1);
        fixture_review();
        assert_int_equal(fixture.n_inspections, 2);
}

static void test_a_boundary_beyond_a_day_is_left_to_the_poll(void **state)
{
        Report report = fixture_report(A);

        report.next_boundary_usec = fixture.wall + USEC_PER_DAY;
        fixture_deliver(&report);
        assert_int_equal(fixture.timer_usec, 0);
        fixture_pass(1);
        fixture_notify(WATCH_JOB_UNCHANGED);
        assert_int_equal(fixture.timer_usec, fixture.now + USEC_PER_DAY - 1);
}

static void test_the_timer_is_for_the_earlier_of_boundary_and_settle_limit(void **state)
{
        Report report = fixture_failed_report();

        report.next_boundary_usec = fixture.wall + SETTLE_LIMIT - 1;
        fixture_deliver(&report);
        assert_int_equal(fixture.timer_usec, fixture.now + SETTLE_LIMIT - 1);
        fixture_notify(WATCH_JOB_READ);
        report.next_boundary_usec = fixture.wall + SETTLE_LIMIT + 1;
        fixture_deliver(&report);
        assert_int_equal(fixture.timer_usec, fixture.now + SETTLE_LIMIT);
}

static void test_a_clock_that_is_set_back_has_the_set_inspected_again(void **state)
{
        fixture_deliver_set(A);
        fixture.wall--;
        fixture_notify(WATCH_JOB_UNCHANGED);
        assert_int_equal(fixture.n_inspections, 2);
}

static void test_an_inspection_that_fails_is_repeated(void **state)
{
        InspectResult result = {.payload_fd = -1, .error = "the inspector crashed"};

        fixture_deliver_set(A);
        fixture_notify(WATCH_JOB_READ);
        fixture_end(&result);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_INVALID);
        assert_string_equal(fixture.status->error, "the inspector crashed");
        fixture_expect_no_set();
        assert_int_equal(fixture.timer_usec, fixture.now + 5 * USEC_PER_SEC);
        fixture_review();
        assert_int_equal(fixture.n_inspections, 3);
        fixture_deliver_set(A);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_VALID);
        assert_string_equal(fixture.status->error, "");
}

static void test_an_inspection_that_cannot_start_leaves_no_set(void **state)
{
        fixture_deliver_set(A);
        fixture.start_error = -EAGAIN;
        fixture_notify(WATCH_JOB_READ);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_INVALID);
        assert_non_null(strstr(fixture.status->error, strerror(EAGAIN)));
        fixture_expect_no_set();
        fixture.start_error = 0;
        fixture_notify(WATCH_JOB_UNCHANGED);
        assert_int_equal(fixture.n_inspections, 2);
}

static void stop_responding(uint64_t since_at_usec)
{
        fixture.watch.process.not_responding_since_at_usec = since_at_usec;
        fixture_notify(WATCH_JOB_STATUS);
}

static void test_a_file_system_that_does_not_respond_leaves_the_state_and_marks_it(void **state)
{
        int fd = fixture_deliver_set(A);

        stop_responding(1234);
        assert_int_equal(fixture.status->not_responding_since_at_usec, 1234);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_VALID);
        assert_true(is_open(fd));
        assert_int_equal(fixture.n_changes, 2);
        assert_int_equal(fixture.n_inspections, 1);
        stop_responding(0);
        assert_int_equal(fixture.status->not_responding_since_at_usec, 0);
        assert_int_equal(fixture.n_changes, 3);
}

static void test_time_changes_no_state_while_the_file_system_does_not_respond(void **state)
{
        Report report = fixture_failed_report();

        fixture_deliver(&report);
        stop_responding(1234);
        fixture_pass(SETTLE_LIMIT);
        fixture_review();
        assert_int_equal(fixture.status->state, MATERIAL_STATE_CHANGING);
        stop_responding(0);
        fixture_notify(WATCH_JOB_UNCHANGED);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_INVALID);
}

static void not_read(void)
{
        fixture.job.handlers.not_responding(fixture.job.handlers.userdata);
}

static void test_an_inspection_that_cannot_read_leaves_the_state_and_marks_it(void **state)
{
        int fd = fixture_deliver_set(A);
        uint64_t begin;

        fixture_pass(USEC_PER_HOUR);
        begin = fixture.wall;
        fixture_notify(WATCH_JOB_READ);
        fixture_pass(20 * USEC_PER_SEC);
        not_read();
        assert_int_equal(fixture.status->not_responding_since_at_usec, begin);
        assert_int_equal(fixture.n_changes, 2);
        fixture_pass(USEC_PER_HOUR);
        fixture_end(&(InspectResult){.payload_fd = -1, .not_read = true});
        assert_int_equal(fixture.status->not_responding_since_at_usec, begin);
        assert_int_equal(fixture.status->state, MATERIAL_STATE_VALID);
        assert_string_equal(fixture.status->error, "");
        assert_true(is_open(fd));
}

static void test_files_that_could_not_be_read_are_read_again_later(void **state)
{
        InspectResult result = {.payload_fd = -1, .not_read = true};

        fixture_deliver_set(A);
        fixture_notify(WATCH_JOB_READ);
        not_read();
        fixture_end(&result);
        assert_int_equal(fixture.n_inspections, 2);
        assert_int_equal(fixture.timer_usec, fixture.now + 30 * USEC_PER_SEC);
        fixture_review();
        assert_int_equal(fixture.n_inspections, 3);
        fixture_deliver_set(B);
        assert_int_equal(fixture.status->not_responding_since_at_usec, 0);
        assert_string_equal(material_set(fixture.material)->info.fingerprint, B);
}

static void test_a_read_requested_of_a_stuck_inspector_is_made_when_it_ends(void **state)
{
        fixture_deliver_set(A);
        fixture_notify(WATCH_JOB_READ);
        not_read();
        fixture_notify(WATCH_JOB_READ);
        assert_int_equal(fixture.n_inspections, 2);
        fixture_end(&(InspectResult){.payload_fd = -1, .not_read = true});
        assert_int_equal(fixture.n_inspections, 3);
}

static void test_the_mark_has_the_earlier_time_of_watch_and_inspection(void **state)
{
        uint64_t begin = fixture.wall;

        not_read();
        stop_responding(begin - 1);
        assert_int_equal(fixture.status->not_responding_since_at_usec, begin - 1);
        stop_responding(begin + 1);
        assert_int_equal(fixture.status->not_responding_since_at_usec, begin);
        stop_responding(0);
        assert_int_equal(fixture.status->not_responding_since_at_usec, begin);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                material_test(test_the_first_inspection_starts_with_the_first_report_of_the_watch),
                material_test(test_a_good_set_is_valid_and_has_a_payload),
                material_test(test_the_payload_of_a_set_that_is_replaced_is_closed),
                material_test(test_a_set_that_somebody_else_keeps_stays_open),
                material_test(test_a_wave_belongs_to_a_set_and_its_progress_is_no_change),
                material_test(test_the_payload_of_a_set_that_is_no_longer_good_is_closed),
                material_test(test_a_payload_that_comes_with_a_failed_set_is_closed),
                material_test(test_a_failed_set_is_changing_and_after_settle_limit_invalid),
                material_test(test_a_failed_set_that_somebody_touches_does_not_stay_changing),
                material_test(test_other_errors_make_an_invalid_set_changing),
                material_test(test_a_set_that_was_good_until_now_is_not_older_than_this_inspection),
                material_test(test_files_that_change_during_the_read_are_read_again_when_settled),
                material_test(test_reads_requested_during_an_inspection_make_one_more),
                material_test(test_a_poll_without_a_change_inspects_nothing),
                material_test(test_a_poll_during_an_inspection_does_nothing),
                material_test(test_a_set_is_inspected_again_when_its_boundary_has_passed),
                material_test(test_a_boundary_beyond_a_day_is_left_to_the_poll),
                material_test(test_the_timer_is_for_the_earlier_of_boundary_and_settle_limit),
                material_test(test_a_clock_that_is_set_back_has_the_set_inspected_again),
                material_test(test_an_inspection_that_fails_is_repeated),
                material_test(test_an_inspection_that_cannot_start_leaves_no_set),
                material_test(
                        test_a_file_system_that_does_not_respond_leaves_the_state_and_marks_it),
                material_test(test_time_changes_no_state_while_the_file_system_does_not_respond),
                material_test(test_an_inspection_that_cannot_read_leaves_the_state_and_marks_it),
                material_test(test_files_that_could_not_be_read_are_read_again_later),
                material_test(test_a_read_requested_of_a_stuck_inspector_is_made_when_it_ends),
                material_test(test_the_mark_has_the_earlier_time_of_watch_and_inspection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
