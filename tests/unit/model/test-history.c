#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/model/history.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static History *history;
static uint64_t now;

static int begin(void **state)
{
        now = 1000;
        return 0;
}

static int end(void **state)
{
        history = history_free(history);
        return 0;
}

#define history_test(test) cmocka_unit_test_setup_teardown(test, begin, end)

static HistoryEntry made(OutcomeKind outcome, const char *text)
{
        HistoryEntry entry = {.outcome = outcome, .text = text, .at_usec = ++now};

        memcpy(entry.fingerprint, A, sizeof(A));
        return entry;
}

static void attempt(OutcomeKind outcome, const char *text)
{
        HistoryEntry entry = made(outcome, text);

        history_add(&history, &entry);
}

static bool check(OutcomeKind outcome, const char *text)
{
        HistoryEntry entry = made(outcome, text);

        entry.action = HISTORY_CHECK;
        return history_add_check(&history, &entry);
}

static HistoryEntry at(unsigned i)
{
        HistoryEntry entries[HISTORY_MAX];

        assert_true(i < history_read(entries, HISTORY_MAX, history));
        return entries[i];
}

static void expect(unsigned i, OutcomeKind outcome, const char *text, unsigned count)
{
        HistoryEntry entry = at(i);

        assert_int_equal(entry.outcome, outcome);
        assert_string_equal(entry.text, text);
        assert_int_equal(entry.count, count);
}

static void test_names_are_read_back(void **state)
{
        HistoryTrigger trigger;
        HistoryAction action;

        for (unsigned i = 0; i < _HISTORY_ACTION_MAX; i++) {
                assert_int_equal(
                        history_action_from_string(&action, history_action_to_string(i)), 0);
                assert_int_equal(action, i);
        }
        for (unsigned i = 0; i < _HISTORY_TRIGGER_MAX; i++) {
                assert_int_equal(
                        history_trigger_from_string(&trigger, history_trigger_to_string(i)), 0);
                assert_int_equal(trigger, i);
        }
        assert_true(history_action_from_string(&action, "dance") < 0);
        assert_true(history_trigger_from_string(&trigger, "moon") < 0);
        assert_string_equal(history_action_to_string(_HISTORY_ACTION_MAX), "");
        assert_string_equal(history_trigger_to_string(_HISTORY_TRIGGER_MAX), "");
}

static void test_there_is_nothing_at_first(void **state)
{
        assert_int_equal(history_size(NULL), 0);
        assert_null(history_free(NULL));
}

static void test_an_entry_is_kept_as_it_is(void **state)
{
        HistoryEntry entry = {.action = HISTORY_RESTART,
                .trigger = HISTORY_COMMAND,
                .fingerprint = B,
                .outcome = OUTCOME_REJECTED,
                .sql_errno = 65535,
                .text = "no",
                .at_usec = INT64_MAX,
                .duration_usec = 1499500};
        HistoryEntry found;

        history_add(&history, &entry);
        found = at(0);
        assert_int_equal(found.action, HISTORY_RESTART);
        assert_int_equal(found.trigger, HISTORY_COMMAND);
        assert_string_equal(found.fingerprint, B);
        assert_int_equal(found.sql_errno, 65535);
        assert_int_equal(found.at_usec, INT64_MAX);
        assert_int_equal(found.first_usec, INT64_MAX);
        assert_int_equal(found.duration_usec, 1500 * USEC_PER_MSEC);
        expect(0, OUTCOME_REJECTED, "no", 1);
}

static void test_the_newest_comes_first(void **state)
{
        attempt(OUTCOME_IMPORTED, "");
        attempt(OUTCOME_TLS, "x");
        assert_int_equal(history_size(history), 2);
        expect(0, OUTCOME_TLS, "x", 1);
        expect(1, OUTCOME_IMPORTED, "", 1);
}

static void test_the_same_failure_is_one_entry(void **state)
{
        HistoryEntry first = made(OUTCOME_UNREACHABLE, "no route");

        first.trigger = HISTORY_ROTATION;
        history_add(&history, &first);
        for (unsigned i = 0; i < 1000; i++)
                attempt(OUTCOME_UNREACHABLE, "no route");
        assert_int_equal(history_size(history), 1);
        expect(0, OUTCOME_UNREACHABLE, "no route", 1001);
        assert_int_equal(at(0).first_usec, first.at_usec);
        assert_int_equal(at(0).at_usec, now);
        assert_int_equal(at(0).trigger, HISTORY_ROTATION);
}

static void test_failures_that_alternate_are_an_entry_each(void **state)
{
        for (unsigned i = 0; i < 100; i++) {
                attempt(OUTCOME_UNREACHABLE, "no route");
                attempt(OUTCOME_TIMED_OUT, "");
        }
        assert_int_equal(history_size(history), 2);
        expect(0, OUTCOME_TIMED_OUT, "", 100);
        expect(1, OUTCOME_UNREACHABLE, "no route", 100);
}

static void test_numbers_alone_make_no_other_failure(void **state)
{
        attempt(OUTCOME_REPLICATION_FAILED, "this was attempt 9/86400");
        attempt(OUTCOME_REPLICATION_FAILED, "this was attempt 10/86400");
        attempt(OUTCOME_REPLICATION_FAILED, "this was attempt 10/86400 again");
        assert_int_equal(history_size(history), 2);
        expect(1, OUTCOME_REPLICATION_FAILED, "this was attempt 10/86400", 2);
}

static void test_each_difference_is_another_failure(void **state)
{
        HistoryEntry entry = made(OUTCOME_REJECTED, "no"), other;

        history_add(&history, &entry);
        other = entry;
        other.outcome = OUTCOME_AUTH;
        history_add(&history, &other);
        other = entry;
        other.sql_errno = 1;
        history_add(&history, &other);
        other = entry;
        other.text = "yes";
        history_add(&history, &other);
        other = entry;
        other.action = HISTORY_START;
        history_add(&history, &other);
        other = entry;
        memcpy(other.fingerprint, B, sizeof(B));
        history_add(&history, &other);
        other.fingerprint[0] = '\0';
        history_add(&history, &other);
        assert_int_equal(history_size(history), 7);
}

static void test_a_failure_after_a_success_is_a_new_one(void **state)
{
        attempt(OUTCOME_TLS, "x");
        attempt(OUTCOME_IMPORTED, "");
        attempt(OUTCOME_IMPORTED, "");
        attempt(OUTCOME_TLS, "x");
        assert_int_equal(history_size(history), 4);
        expect(0, OUTCOME_TLS, "x", 1);
}

static void test_it_is_bounded_and_keeps_the_last_success(void **state)
{
        char text[] = "?";

        attempt(OUTCOME_IMPORTED, "");
        attempt(OUTCOME_IMPORTED, "");
        for (unsigned i = 0; i < 40; i++) {
                text[0] = (char)('A' + i);
                attempt(OUTCOME_REJECTED, text);
        }
        assert_int_equal(history_size(history), HISTORY_MAX);
        expect(HISTORY_MAX - 1, OUTCOME_IMPORTED, "", 1);
        expect(0, OUTCOME_REJECTED, text, 1);
        for (unsigned i = 0; i < 40; i++)
                attempt(OUTCOME_IMPORTED, "");
        assert_int_equal(history_size(history), HISTORY_MAX);
        expect(HISTORY_MAX - 1, OUTCOME_IMPORTED, "", 1);
        assert_int_equal(at(HISTORY_MAX - 1).at_usec, now - HISTORY_MAX + 1);
}

static void test_long_texts_leave_room_for_fewer(void **state)
{
        char text[HISTORY_TEXT_MAX];

        attempt(OUTCOME_IMPORTED, "");
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        for (unsigned i = 0; i < 5; i++) {
                text[0] = (char)('A' + i);
                attempt(OUTCOME_REJECTED, text);
        }
        assert_int_equal(history_size(history), 3);
        expect(0, OUTCOME_REJECTED, text, 1);
        expect(2, OUTCOME_IMPORTED, "", 1);
        attempt(OUTCOME_TLS, "x");
        assert_int_equal(history_size(history), 4);
        expect(3, OUTCOME_IMPORTED, "", 1);
}

static void test_a_long_text_is_cut_and_still_the_same(void **state)
{
        char text[2 * HISTORY_TEXT_MAX];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        attempt(OUTCOME_REJECTED, text);
        attempt(OUTCOME_REJECTED, text);
        assert_int_equal(history_size(history), 1);
        assert_int_equal(strlen(at(0).text), HISTORY_TEXT_MAX - 1);
}

static void test_a_check_that_passes_as_before_is_none(void **state)
{
        assert_false(check(OUTCOME_ALREADY_CURRENT, ""));
        attempt(OUTCOME_IMPORTED, "");
        assert_false(check(OUTCOME_ALREADY_CURRENT, ""));
        assert_int_equal(history_size(history), 1);
}

static void test_a_check_is_one_when_its_result_is_another(void **state)
{
        attempt(OUTCOME_IMPORTED, "");
        assert_true(check(OUTCOME_UNREACHABLE, "no route"));
        assert_false(check(OUTCOME_UNREACHABLE, "no route"));
        assert_true(check(OUTCOME_AUTH, "no route"));
        assert_true(check(OUTCOME_ALREADY_CURRENT, ""));
        assert_false(check(OUTCOME_ALREADY_CURRENT, ""));
        assert_int_equal(history_size(history), 4);
        expect(0, OUTCOME_ALREADY_CURRENT, "", 1);
}

static void test_checks_that_alternate_push_nothing_out(void **state)
{
        attempt(OUTCOME_TLS, "x");
        for (unsigned i = 0; i < 100; i++) {
                assert_true(check(OUTCOME_UNREACHABLE, "no route"));
                assert_true(check(OUTCOME_ALREADY_CURRENT, ""));
        }
        assert_int_equal(history_size(history), 3);
        expect(0, OUTCOME_ALREADY_CURRENT, "", 100);
        expect(2, OUTCOME_TLS, "x", 1);
}

static void test_after_a_success_a_check_fails_anew(void **state)
{
        assert_true(check(OUTCOME_UNREACHABLE, "no route"));
        attempt(OUTCOME_IMPORTED, "");
        assert_true(check(OUTCOME_UNREACHABLE, "no route"));
        assert_int_equal(history_size(history), 3);
}

static void test_a_check_that_passes_with_a_finding_is_one(void **state)
{
        assert_true(check(OUTCOME_ALREADY_CURRENT, "another server answers"));
        expect(0, OUTCOME_ALREADY_CURRENT, "another server answers", 1);
}

static void test_what_is_made_of_entries_is_not_folded(void **state)
{
        HistoryEntry entries[2 * HISTORY_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
                entries[i] = made(OUTCOME_TLS, "x");
                entries[i].first_usec = i == 0 ? 7 : entries[i].at_usec;
                entries[i].count = i == 0 ? 3 : 1;
        }
        history = history_new(entries, ARRAY_SIZE(entries));
        assert_int_equal(history_size(history), HISTORY_MAX);
        expect(0, OUTCOME_TLS, "x", 3);
        assert_int_equal(at(0).at_usec, entries[0].at_usec);
        assert_int_equal(at(HISTORY_MAX - 1).at_usec, entries[HISTORY_MAX - 1].at_usec);
        assert_int_equal(at(0).first_usec, 7);
        assert_null(history_new(entries, 0));
}

static void test_no_more_is_read_than_asked_for(void **state)
{
        HistoryEntry entries[2];

        assert_int_equal(history_read(entries, 2, NULL), 0);
        for (unsigned i = 0; i < 3; i++)
                attempt(OUTCOME_IMPORTED, "");
        assert_int_equal(history_read(entries, 2, history), 2);
        assert_int_equal(entries[0].at_usec, now);
        assert_int_equal(entries[1].at_usec, now - 1);
}

static void test_an_entry_is_an_object(void **state)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        CLEANUP(freep) char *text = NULL;
        HistoryEntry entry = made(OUTCOME_TLS, "x");

        entry.first_usec = 7;
        entry.count = 3;
        history_write_entry(writer, &entry);
        assert_int_equal(json_writer_finish(writer, &text), 0);
        assert_string_equal(text,
                "{\"at\":1001,\"action\":\"import\",\"trigger\":null,\"fingerprint\":\"" A "\","
                "\"outcome\":\"tls\",\"sql_errno\":null,\"reason\":\"x\",\"duration\":0,"
                "\"count\":3,\"first\":7}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                history_test(test_names_are_read_back),
                history_test(test_there_is_nothing_at_first),
                history_test(test_an_entry_is_kept_as_it_is),
                history_test(test_the_newest_comes_first),
                history_test(test_the_same_failure_is_one_entry),
                history_test(test_failures_that_alternate_are_an_entry_each),
                history_test(test_numbers_alone_make_no_other_failure),
                history_test(test_each_difference_is_another_failure),
                history_test(test_a_failure_after_a_success_is_a_new_one),
                history_test(test_it_is_bounded_and_keeps_the_last_success),
                history_test(test_long_texts_leave_room_for_fewer),
                history_test(test_a_long_text_is_cut_and_still_the_same),
                history_test(test_a_check_that_passes_as_before_is_none),
                history_test(test_a_check_is_one_when_its_result_is_another),
                history_test(test_checks_that_alternate_push_nothing_out),
                history_test(test_after_a_success_a_check_fails_anew),
                history_test(test_a_check_that_passes_with_a_finding_is_one),
                history_test(test_what_is_made_of_entries_is_not_folded),
                history_test(test_no_more_is_read_than_asked_for),
                history_test(test_an_entry_is_an_object),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
