#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/manager/record-writer.h"
#include "daemon/model/record.h"
#include "tests/unit/scratch.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

typedef struct Desk {
        sd_event *event;
        Record record;
        RecordWriter *record_writer;
        unsigned n_told;
        int error;
} Desk;

static void on_recorded(int error, void *userdata)
{
        Desk *desk = userdata;

        desk->n_told++;
        desk->error = error;
}

/* The state directory is not there yet: nothing can be written, whoever runs the test. */
static void desk_open_with_delay(Desk *desk, uint64_t delay_usec)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.committed = true};

        *desk = (Desk){0};
        setenv("STATE_DIRECTORY", scratch_path("state"), 1);
        record_apply(&desk->record, &(SetInfo){.fingerprint = A}, &outcome, 1000);
        assert_int_equal(sd_event_new(&desk->event), 0);
        assert_int_equal(record_writer_new(&desk->record_writer, desk->event, "orders",
                                 &desk->record, delay_usec, on_recorded, desk),
                0);
}

static void desk_open(Desk *desk)
{
        desk_open_with_delay(desk, 0);
}

static void desk_close(Desk *desk)
{
        record_writer_free(desk->record_writer);
        sd_event_unref(desk->event);
}

/* Until there is nothing left to do at once. */
static void turn(Desk *desk)
{
        while (sd_event_run(desk->event, 0) > 0)
                ;
}

static void expect_on_disk(const Record *record)
{
        Record found;

        assert_int_equal(record_load(&found, "orders"), 0);
        assert_memory_equal(&found, record, sizeof(found));
}

static void test_what_can_be_written_is_not_spoken_of(void **state)
{
        Desk desk;

        (void)state;
        desk_open(&desk);
        scratch_make_directory("state");
        record_writer_schedule(desk.record_writer);
        turn(&desk);
        assert_int_equal(desk.n_told, 0);
        expect_on_disk(&desk.record);
        desk_close(&desk);
}

static void test_what_cannot_is_told_once_and_tried_again(void **state)
{
        Desk desk;

        (void)state;
        desk_open(&desk);
        record_writer_schedule(desk.record_writer);
        turn(&desk);
        record_writer_schedule(desk.record_writer);
        turn(&desk);
        assert_int_equal(desk.n_told, 1);
        assert_int_equal(desk.error, ENOENT);
        scratch_make_directory("state");
        desk.record.attempt.failures = 7; /* what is written is what the record is by then */
        while (desk.error != 0)
                assert_true(sd_event_run(desk.event, 20 * UINT64_C(1000000)) > 0);
        assert_int_equal(desk.n_told, 2);
        expect_on_disk(&desk.record);
        desk_close(&desk);
}

static int on_other_work(sd_event_source *source, void *userdata)
{
        Desk *desk = userdata;
        Record found;

        (void)source;
        assert_int_equal(record_load(&found, "orders"), -ENOENT);
        desk->record.attempt.failures++;
        return 0;
}

static void test_a_record_waits_for_all_other_work(void **state)
{
        sd_event_source *source;
        Desk desk;

        (void)state;
        desk_open(&desk);
        scratch_make_directory("state");
        record_writer_schedule(desk.record_writer);
        assert_int_equal(sd_event_add_defer(desk.event, &source, on_other_work, &desk), 0);
        assert_int_equal(sd_event_source_set_priority(source, SD_EVENT_PRIORITY_NORMAL + 10), 0);
        turn(&desk);
        assert_int_equal(desk.record.attempt.failures, 1);
        expect_on_disk(&desk.record);
        sd_event_source_unref(source);
        desk_close(&desk);
}

static void test_a_flush_waits_for_nothing_and_tells(void **state)
{
        Desk desk;

        (void)state;
        desk_open(&desk);
        record_writer_flush(desk.record_writer); /* nothing is to be written */
        assert_int_equal(desk.n_told, 0);
        record_writer_schedule(desk.record_writer);
        record_writer_flush(desk.record_writer);
        assert_int_equal(desk.error, ENOENT);
        scratch_make_directory("state");
        record_writer_schedule(desk.record_writer);
        record_writer_flush(desk.record_writer);
        assert_int_equal(desk.error, 0);
        expect_on_disk(&desk.record);
        desk_close(&desk);
}

static void test_a_record_waits_unless_there_is_time(void **state)
{
        Record found;
        Desk desk;

        (void)state;
        desk_open_with_delay(&desk, 3600 * UINT64_C(1000000));
        scratch_make_directory("state");
        assert_false(
                record_writer_flush_pending(desk.record_writer)); /* nothing is to be written */
        record_writer_schedule(desk.record_writer);
        turn(&desk);
        assert_int_equal(record_load(&found, "orders"), -ENOENT);
        assert_true(record_writer_flush_pending(desk.record_writer));
        expect_on_disk(&desk.record);
        assert_false(record_writer_flush_pending(desk.record_writer));
        desk_close(&desk);
}

static void test_what_has_just_failed_is_left_at_its_time(void **state)
{
        Desk desk;

        (void)state;
        desk_open(&desk);
        record_writer_schedule(desk.record_writer);
        assert_true(record_writer_flush_pending(desk.record_writer));
        assert_int_equal(desk.error, ENOENT);
        assert_false(record_writer_flush_pending(desk.record_writer));
        assert_int_equal(desk.n_told, 1);
        desk_close(&desk);
}

static void test_what_was_not_written_is_at_the_end(void **state)
{
        Desk desk;

        (void)state;
        desk_open(&desk);
        scratch_make_directory("state");
        record_writer_schedule(desk.record_writer);
        desk_close(&desk);
        expect_on_disk(&desk.record);
}

static void test_the_last_try_is_at_the_end(void **state)
{
        Desk desk;

        (void)state;
        desk_open(&desk);
        record_writer_schedule(desk.record_writer);
        turn(&desk);
        scratch_make_directory("state");
        desk_close(&desk);
        expect_on_disk(&desk.record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_what_can_be_written_is_not_spoken_of),
                scratch_test(test_what_cannot_is_told_once_and_tried_again),
                scratch_test(test_a_record_waits_for_all_other_work),
                scratch_test(test_a_flush_waits_for_nothing_and_tells),
                scratch_test(test_a_record_waits_unless_there_is_time),
                scratch_test(test_what_has_just_failed_is_left_at_its_time),
                scratch_test(test_what_was_not_written_is_at_the_end),
                scratch_test(test_the_last_try_is_at_the_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
