#include "tests/unit/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/record/record-file.h"
#include "tests/unit/scratch.h"

#define A            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define UPPER_CASE_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define B            "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static Record attempted(const char *fingerprint, OutcomeKind kind, bool committed)
{
        Record record = RECORD_NULL;
        Outcome outcome = {.kind = kind, .effect.committed = committed};
        SetInfo set = {0};

        strcpy(set.fingerprint, fingerprint);
        record_apply(&record, &set, &outcome, 1000);
        return record;
}

/* Compares a text on the heap, and makes it equal. */
static void expect_text(char **a, char *const *b)
{
        assert_true(text_equal(*a, *b));
        *a = *b;
}

static void expect_equal(Record found, const Record *expected)
{
        expect_text(&found.imported.warning, &expected->imported.warning);
        expect_text(&found.attempt.outcome.text, &expected->attempt.outcome.text);
        expect_text(&found.attempt.outcome.next_step, &expected->attempt.outcome.next_step);
        expect_text(&found.removal.outcome.text, &expected->removal.outcome.text);
        expect_text(&found.removal.outcome.next_step, &expected->removal.outcome.next_step);
        expect_text(&found.proof_fault, &expected->proof_fault);
        assert_memory_equal(&found, expected, sizeof(found));
}

static void expect_on_disk(const Record *record)
{
        CLEANUP(record_done) Record found = RECORD_NULL;

        assert_int_equal(record_load(&found, "orders"), 0);
        expect_equal(found, record);
}

/* Every member has a value, none of them its default. */
static Record full(void)
{
        Record record = attempted(A, OUTCOME_REJECTED, true);

        record.attempt.outcome.sql_errno = 1644;
        text_keep(&record.attempt.outcome.text, "\"refused\" \xc3\xa4");
        text_keep(&record.attempt.outcome.next_step, "GRANT this");
        record.imported.not_before_usec = 76;
        record.imported.not_after_usec = INT64_MAX;
        record.imported.in_use = true;
        text_keep(&record.imported.warning, "not tested");
        record.imported.restart_due = true;
        memcpy(record.imported.former_fingerprint, B, sizeof(B));
        record.last_success_usec = 66;
        record.out_of_sync_since_usec = 44;
        record.healed_at_usec = 55;
        record.newlines = NEWLINES_RAW;
        memcpy(record.warned.fingerprint, B, sizeof(B));
        record.warned.within_usec = 88;
        record.stop = (RecordStop){
                .at_usec = 99,
                .mode = REPLICATION_OBSERVE,
                .running = true,
                .log_position = 7,
                .completed = true,
        };
        memcpy(record.stop.fingerprint, B, sizeof(B));
        text_set(record.stop.log_file, sizeof(record.stop.log_file), "binlog.000001");
        record.proof = (RecordProof){
                .proven = true, .failed = true, .since_usec = 3, .held_usec = 4, .read_usec = 5};
        memcpy(record.proof.fingerprint, A, sizeof(A));
        text_keep(&record.proof_fault, "stopped");
        memcpy(record.by_hand, B, sizeof(B));
        return record;
}

static void test_a_record_without_a_stop_has_none(void **state)
{
        static const char old[] = "{\"imported_fingerprint\":\"" A "\",\"attempts\":1}",
                          half[] = "{\"stopped_for\":\"" A "\",\"stopped_log_position\":7}",
                          unknown[] = "{\"stopped_at\":7,\"stopped_mode\":\"elsewhere\"}";
        Record record = RECORD_NULL;

        assert_int_equal(record_parse(&record, old, strlen(old)), 0);
        assert_string_equal(record.imported.fingerprint, A);
        assert_false(record_is_stopped(&record));
        assert_int_equal(record_parse(&record, half, strlen(half)), 0);
        assert_memory_equal(&record.stop, &(RecordStop){0}, sizeof(record.stop));
        assert_int_equal(record_parse(&record, unknown, strlen(unknown)), -EBADMSG);
}

static void test_a_formatted_record_is_parsed_to_the_same(void **state)
{
        Record record = attempted(A, OUTCOME_IMPORTED, true), back = RECORD_NULL;
        char *text;

        record.newlines = NEWLINES_ESCAPED;
        record.imported.not_after_usec = 77;
        memcpy(record.warned.fingerprint, A, sizeof(A));
        record.warned.within_usec = 88;
        assert_int_equal(record_format(&text, &record), 0);
        assert_int_equal(record_parse(&back, text, strlen(text)), 0);
        expect_equal(back, &record);
        assert_int_not_equal(record_parse(&back, text, strlen(text) / 2), 0);
        free(text);
        assert_int_not_equal(record_parse(&back, "{\"outcome\":3}", 13), 0);
        assert_int_not_equal(record_parse(&back, "{\"attempts\":-1}", 15), 0);
        assert_int_not_equal(record_parse(&back, "[]", 2), 0);
}

static void test_a_saved_record_is_loaded_as_the_same_and_private(void **state)
{
        CLEANUP(record_done) Record record = full();
        Record none = RECORD_NULL;
        struct stat st;

        setenv("STATE_DIRECTORY", scratch_path("."), 1);
        assert_int_equal(record_save("orders", &record), 0);
        expect_on_disk(&record);
        assert_int_equal(stat(scratch_path("orders.json"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(record_save("orders", &none), 0);
        expect_on_disk(&none);
        assert_int_equal(scratch_count("."), 1); /* no temporary file is left */
}

static void test_a_removal_is_loaded_as_it_was_saved(void **state)
{
        CLEANUP(record_done) Record record = full();

        setenv("STATE_DIRECTORY", scratch_path("."), 1);
        record.removal = (RecordRemoval){.at_usec = 5};
        assert_int_equal(record_save("orders", &record), 0);
        expect_on_disk(&record);
        record_note_removal(&record,
                &(Outcome){.kind = OUTCOME_NO_PRIVILEGE,
                        .sql_errno = 1370,
                        .text = "denied",
                        .next_step = "GRANT"});
        assert_int_equal(record_save("orders", &record), 0);
        expect_on_disk(&record);
}

static void test_the_record_of_a_removed_material_is_removed(void **state)
{
        CLEANUP(record_done) Record record = full();
        CLEANUP(record_done) Record back = RECORD_NULL;
        Outcome removed = {.kind = OUTCOME_REMOVED};

        setenv("STATE_DIRECTORY", scratch_path("."), 1);
        assert_int_equal(record_save("orders", &record), 0);
        record.stop.at_usec = 7;
        record_begin_removal(&record, 5);
        record_apply_removal(&record, &removed);
        assert_int_equal(record_save("orders", &record), 0);
        assert_int_equal(record_load(&back, "orders"), 0);
        assert_int_equal(back.stop.at_usec, 7);
        record.stop = (RecordStop){0};
        assert_int_equal(record_save("orders", &record), 0);
        assert_int_equal(record_load(&back, "orders"), -ENOENT);
        assert_int_equal(record_save("orders", &record), 0);
        assert_int_equal(scratch_count("."), 0);
}

static void test_a_record_that_cannot_be_loaded_is_null(void **state)
{
        Record none = RECORD_NULL, back = {.port = 7};

        setenv("STATE_DIRECTORY", scratch_path("."), 1);
        assert_int_equal(record_load(&back, "orders"), -ENOENT);
        assert_memory_equal(&back, &none, sizeof(none));
        scratch_write_text("orders.json", "{\"attempts\":3");
        back.port = 7;
        assert_int_equal(record_load(&back, "orders"), -EBADMSG);
        assert_memory_equal(&back, &none, sizeof(none));
}

static void test_a_text_that_is_no_record_is_refused_and_changes_nothing(void **state)
{
        static const char *const texts[] = {"", "null", "[]", "{\"imported_fingerprint\":7}",
                "{\"imported_fingerprint\":\"abc\"}", "{\"imported_fingerprint\":\"" A "a\"}",
                "{\"warned_fingerprint\":\"" UPPER_CASE_A "\"}", "{\"imported_at\":-1}",
                "{\"imported_at\":\"1\"}", "{\"attempts\":2147483648}", "{\"sql_errno\":1.5}",
                "{\"outcome\":3}", "{\"text\":[]}", "{\"payload_newlines\":\"both\"}",
                "{\"in_use\":\"yes\"}", "{\"healed_at\":-1}", "{\"former_fingerprint\":\"abc\"}",
                "{\"stopped_running\":1}", "{\"removal_at\":-1}", "{\"removal_outcome\":3}",
                "{\"removal_text\":1}"};
        CLEANUP(record_done) Record record = full();
        Record back = record;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                assert_int_equal(record_parse(&back, texts[i], strlen(texts[i])), -EBADMSG);
                assert_memory_equal(&back, &record, sizeof(record));
        }
}

static void test_unknown_members_are_ignored_and_absent_ones_keep_their_default(void **state)
{
        static const char text[] = "{\"of_a_later_version\":[{}],\"attempts\":3}";
        Record record = {.port = 7};

        assert_int_equal(record_parse(&record, text, strlen(text)), 0);
        assert_int_equal(record.attempt.failures, 3);
        record.attempt.failures = 0;
        assert_memory_equal(&record, &RECORD_NULL, sizeof(record));
}

static void test_an_outcome_of_a_later_version_is_lost_alone(void **state)
{
        static const char text[] =
                "{\"imported_fingerprint\":\"" A "\",\"attempts\":3,\"outcome\":\"happy\","
                "\"text\":\"so it is\",\"sql_errno\":7,\"removal_at\":5,"
                "\"removal_outcome\":\"sad\",\"removal_text\":\"so it was\"}";
        CLEANUP(record_done) Record record = RECORD_NULL;

        assert_int_equal(record_parse(&record, text, strlen(text)), 0);
        assert_string_equal(record.imported.fingerprint, A);
        assert_int_equal(record.attempt.failures, 3);
        assert_false(record.attempt.outcome.known || record.removal.outcome.known);
        assert_null(record.attempt.outcome.text);
        assert_null(record.removal.outcome.text);
        assert_int_equal(record.attempt.outcome.sql_errno, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_outcome_of_a_later_version_is_lost_alone),
                cmocka_unit_test(test_a_record_without_a_stop_has_none),
                cmocka_unit_test(test_a_formatted_record_is_parsed_to_the_same),
                scratch_test(test_a_saved_record_is_loaded_as_the_same_and_private),
                scratch_test(test_a_removal_is_loaded_as_it_was_saved),
                scratch_test(test_the_record_of_a_removed_material_is_removed),
                scratch_test(test_a_record_that_cannot_be_loaded_is_null),
                cmocka_unit_test(test_a_text_that_is_no_record_is_refused_and_changes_nothing),
                cmocka_unit_test(
                        test_unknown_members_are_ignored_and_absent_ones_keep_their_default),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
