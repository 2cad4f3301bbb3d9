#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/record/record-file.h"
#include "daemon/record/record-writer.h"
#include "tests/unit/scratch.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

typedef struct Fixture {
        sd_event *event;
        Record record;
        RecordWriter *writer;
        unsigned n_reports;
        unsigned n_unwritten;
        int error;
} Fixture;

static void on_recorded(int error, void *userdata)
{
        Fixture *fixture = userdata;

        fixture->n_reports++;
        fixture->error = error;
}

/* The state directory does not exist yet: no write can succeed, not even one by root. */
static void fixture_make_with_delay(Fixture *fixture, uint64_t delay_usec)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.committed = true};

        *fixture = (Fixture){0};
        setenv("STATE_DIRECTORY", scratch_path("state"), 1);
        record_apply(&fixture->record, &(SetInfo){.fingerprint = A}, &outcome, 1000);
        assert_int_equal(sd_event_new(&fixture->event), 0);
        assert_int_equal(
                record_writer_new(&fixture->writer, fixture->event, "orders", &fixture->record,
                        delay_usec, &fixture->n_unwritten, on_recorded, fixture),
                0);
}

static void fixture_make(Fixture *fixture)
{
        fixture_make_with_delay(fixture, 0);
}

static void fixture_done(Fixture *fixture)
{
        record_writer_free(fixture->writer);
        assert_int_equal(fixture->n_unwritten, 0);
        sd_event_unref(fixture->event);
}

/* Handles every event that is pending. */
static void run_pending(Fixture *fixture)
{
        while (sd_event_run(fixture->event, 0) > 0)
                ;
}

static void expect_on_disk(const Record *record)
{
        Record found;

        assert_int_equal(record_load(&found, "orders"), 0);
        assert_memory_equal(&found, record, sizeof(found));
}

static void test_a_write_that_succeeds_is_not_reported(void **state)
{
        Fixture fixture;

        fixture_make(&fixture);
        scratch_make_directory("state");
        record_writer_schedule(fixture.writer);
        run_pending(&fixture);
        assert_int_equal(fixture.n_reports, 0);
        expect_on_disk(&fixture.record);
        fixture_done(&fixture);
}

static void test_a_write_at_once_returns_its_error(void **state)
{
        Fixture fixture;

        fixture_make(&fixture);
        assert_int_equal(record_writer_write(fixture.writer), -ENOENT);
        assert_int_equal(fixture.error, ENOENT);
        assert_int_equal(record_writer_write(fixture.writer), -ENOENT);
        assert_int_equal(fixture.n_reports, 1);
        scratch_make_directory("state");
        assert_int_equal(record_writer_write(fixture.writer), 0);
        assert_int_equal(fixture.error, 0);
        assert_int_equal(fixture.n_reports, 2);
        expect_on_disk(&fixture.record);
        fixture_done(&fixture);
}

static void test_a_write_that_fails_is_reported_once_and_retried(void **state)
{
        Fixture fixture;

        fixture_make(&fixture);
        record_writer_schedule(fixture.writer);
        run_pending(&fixture);
        record_writer_schedule(fixture.writer);
        run_pending(&fixture);
        assert_int_equal(fixture.n_reports, 1);
        assert_int_equal(fixture.error, ENOENT);
        scratch_make_directory("state");
        fixture.record.attempt.failures = 7; /* a retry writes the record as it is then */
        while (fixture.error != 0)
                assert_true(sd_event_run(fixture.event, 20 * UINT64_C(1000000)) > 0);
        assert_int_equal(fixture.n_reports, 2);
        expect_on_disk(&fixture.record);
        fixture_done(&fixture);
}

static int on_other_event(sd_event_source *source, void *userdata)
{
        Fixture *fixture = userdata;
        Record found;

        assert_int_equal(record_load(&found, "orders"), -ENOENT);
        fixture->record.attempt.failures++;
        return 0;
}

static void test_a_write_comes_after_all_other_events(void **state)
{
        sd_event_source *source;
        Fixture fixture;

        fixture_make(&fixture);
        scratch_make_directory("state");
        record_writer_schedule(fixture.writer);
        assert_int_equal(sd_event_add_defer(fixture.event, &source, on_other_event, &fixture), 0);
        assert_int_equal(sd_event_source_set_priority(source, SD_EVENT_PRIORITY_NORMAL + 10), 0);
        run_pending(&fixture);
        assert_int_equal(fixture.record.attempt.failures, 1);
        expect_on_disk(&fixture.record);
        sd_event_source_unref(source);
        fixture_done(&fixture);
}

static void test_a_flush_writes_at_once_and_reports(void **state)
{
        Fixture fixture;

        fixture_make(&fixture);
        record_writer_flush(fixture.writer); /* no write is scheduled */
        assert_int_equal(fixture.n_reports, 0);
        record_writer_schedule(fixture.writer);
        record_writer_flush(fixture.writer);
        assert_int_equal(fixture.error, ENOENT);
        scratch_make_directory("state");
        record_writer_schedule(fixture.writer);
        record_writer_flush(fixture.writer);
        assert_int_equal(fixture.error, 0);
        expect_on_disk(&fixture.record);
        fixture_done(&fixture);
}

static void test_a_write_is_delayed_unless_the_owner_is_idle(void **state)
{
        Record found;
        Fixture fixture;

        fixture_make_with_delay(&fixture, 3600 * UINT64_C(1000000));
        scratch_make_directory("state");
        assert_false(record_writer_flush_pending(fixture.writer)); /* no write is scheduled */
        record_writer_schedule(fixture.writer);
        run_pending(&fixture);
        assert_int_equal(record_load(&found, "orders"), -ENOENT);
        assert_true(record_writer_flush_pending(fixture.writer));
        expect_on_disk(&fixture.record);
        assert_false(record_writer_flush_pending(fixture.writer));
        fixture_done(&fixture);
}

static void test_a_failed_write_is_left_to_its_retry(void **state)
{
        Fixture fixture;

        fixture_make(&fixture);
        record_writer_schedule(fixture.writer);
        assert_true(record_writer_flush_pending(fixture.writer));
        assert_int_equal(fixture.error, ENOENT);
        assert_false(record_writer_flush_pending(fixture.writer));
        assert_int_equal(fixture.n_reports, 1);
        fixture_done(&fixture);
}

/* Eight writes fail: the next one would come after a minute. */
static void fail_for_long(Fixture *fixture)
{
        fixture_make(fixture);
        for (unsigned i = 0; i < 8; i++) {
                record_writer_schedule(fixture->writer);
                record_writer_flush(fixture->writer);
        }
}

static void test_a_reset_tries_a_failed_write_again_at_once(void **state)
{
        Fixture fixture;

        fail_for_long(&fixture);
        scratch_make_directory("state");
        record_writer_retry_now(fixture.writer);
        run_pending(&fixture);
        assert_int_equal(fixture.error, 0);
        expect_on_disk(&fixture.record);
        record_writer_retry_now(fixture.writer); /* nothing has failed */
        assert_false(record_writer_flush_pending(fixture.writer));
        fixture_done(&fixture);
}

static void test_after_a_reset_the_back_off_begins_anew(void **state)
{
        Fixture fixture;

        fail_for_long(&fixture);
        record_writer_retry_now(fixture.writer);
        run_pending(&fixture);
        assert_int_equal(fixture.error, ENOENT);
        scratch_make_directory("state");
        while (fixture.error != 0)
                assert_true(sd_event_run(fixture.event, 20 * UINT64_C(1000000)) > 0);
        expect_on_disk(&fixture.record);
        fixture_done(&fixture);
}

static void test_a_scheduled_write_is_done_when_the_writer_is_freed(void **state)
{
        Fixture fixture;

        fixture_make(&fixture);
        scratch_make_directory("state");
        record_writer_schedule(fixture.writer);
        fixture_done(&fixture);
        expect_on_disk(&fixture.record);
}

static void test_a_failed_write_is_tried_again_when_the_writer_is_freed(void **state)
{
        Fixture fixture;

        fixture_make(&fixture);
        record_writer_schedule(fixture.writer);
        run_pending(&fixture);
        scratch_make_directory("state");
        fixture_done(&fixture);
        expect_on_disk(&fixture.record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_a_write_that_succeeds_is_not_reported),
                scratch_test(test_a_write_at_once_returns_its_error),
                scratch_test(test_a_write_that_fails_is_reported_once_and_retried),
                scratch_test(test_a_write_comes_after_all_other_events),
                scratch_test(test_a_flush_writes_at_once_and_reports),
                scratch_test(test_a_write_is_delayed_unless_the_owner_is_idle),
                scratch_test(test_a_failed_write_is_left_to_its_retry),
                scratch_test(test_a_reset_tries_a_failed_write_again_at_once),
                scratch_test(test_after_a_reset_the_back_off_begins_anew),
                scratch_test(test_a_scheduled_write_is_done_when_the_writer_is_freed),
                scratch_test(test_a_failed_write_is_tried_again_when_the_writer_is_freed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
