#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/record/record-file.h"
#include "daemon/record/record-history.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A valid entry of which a test breaks one member. */
#define ENTRY(members)                                                                     \
        "{\"at\":9,\"action\":\"import\",\"trigger\":\"retry\",\"fingerprint\":\"" A "\"," \
        "\"outcome\":\"rejected\",\"sql_errno\":1644,\"reason\":\"no\",\"duration\":2000," \
        "\"count\":3,\"first\":7" members "}"

static void read_record(Record *ret, const char *history)
{
        CLEANUP(freep) char *text = NULL;

        assert_true(asprintf(&text, "{\"imported_fingerprint\":\"" A "\",\"history\":%s}",
                            history) > 0);
        *ret = RECORD_NULL;
        assert_int_equal(record_parse(ret, text, strlen(text)), 0);
        assert_string_equal(ret->imported.fingerprint, A);
}

static void test_a_history_is_read_as_it_was_written(void **state)
{
        static const char expected[] =
                "{\"imported_fingerprint\":\"" A "\",\"in_use\":false,"
                "\"restart_due\":false,\"history\":[" ENTRY("") "," ENTRY("") "]}\n";
        CLEANUP(record_done) Record record = RECORD_NULL;
        CLEANUP(freep) char *text = NULL;
        HistoryEntry entry;

        read_record(&record, "[" ENTRY("") "," ENTRY("") "]");
        assert_int_equal(history_size(record.history), 2);
        assert_int_equal(history_read(&entry, 1, record.history), 1);
        assert_int_equal(entry.count, 3);
        assert_int_equal(record_format(&text, &record), 0);
        assert_string_equal(text, expected);
}

static void test_a_record_without_an_attempt_has_no_history(void **state)
{
        static const char *const none[] = {"null", "[]", "{}", "7", "\"x\""};

        for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
                CLEANUP(record_done) Record record = RECORD_NULL;

                read_record(&record, none[i]);
                assert_null(record.history);
        }
}

static void test_an_unknown_member_is_ignored(void **state)
{
        CLEANUP(record_done) Record record = RECORD_NULL;

        read_record(&record, "[" ENTRY(",\"later\":[1]") "]");
        assert_int_equal(history_size(record.history), 1);
}

static void test_an_entry_with_a_fault_is_left_out_alone(void **state)
{
        static const struct {
                const char *good, *bad;
        } faults[] = {
                {"\"at\":9", "\"at\":-9"},
                {"\"at\":9", "\"at\":\"9\""},
                {"\"at\":9,", ""},
                {"\"first\":7", "\"first\":7.5"},
                {"\"import\"", "\"dance\""},
                {"\"import\"", "7"},
                {"\"retry\"", "\"moon\""},
                {"\"rejected\"", "\"of a later version\""},
                {"\"rejected\"", "null"},
                {"1644", "65536"},
                {"1644", "\"1644\""},
                {"\"duration\":2000", "\"duration\":null"},
                {"\"count\":3", "\"count\":0"},
                {"\"count\":3", "\"count\":4294967296"},
                {A, "abc"},
                {"{", "[{"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                CLEANUP(record_done) Record record = RECORD_NULL;
                static const char entry[] = ENTRY("");
                const char *at = strstr(entry, faults[i].good);
                char text[4096];

                text_format(text, sizeof(text), "[%s,%.*s%s%s%s,%s]", entry, (int)(at - entry),
                        entry, faults[i].bad, at + strlen(faults[i].good),
                        faults[i].good[0] == '{' ? "]" : "", entry);
                read_record(&record, text);
                assert_int_equal(history_size(record.history), 2);
        }
}

static void test_what_is_null_is_not_known(void **state)
{
        CLEANUP(record_done) Record record = RECORD_NULL;
        HistoryEntry entry;

        read_record(&record,
                "[{\"at\":9,\"action\":\"check\",\"trigger\":null,\"fingerprint\":null,"
                "\"outcome\":\"tls\",\"sql_errno\":null,\"reason\":null,\"duration\":1,"
                "\"count\":1,\"first\":9}]");
        assert_int_equal(history_read(&entry, 1, record.history), 1);
        assert_int_equal(entry.trigger, HISTORY_TRIGGER_NONE);
        assert_string_equal(entry.fingerprint, "");
        assert_int_equal(entry.sql_errno, 0);
        assert_string_equal(entry.text, "");
}

static void test_the_largest_history_fits_into_a_record(void **state)
{
        CLEANUP(record_done) Record record = RECORD_NULL;
        CLEANUP(record_done) Record back = RECORD_NULL;
        CLEANUP(freep) char *text = NULL;
        HistoryEntry entry = {.outcome = OUTCOME_SOURCE_UNREACHABLE,
                .trigger = HISTORY_ROTATION,
                .at_usec = INT64_MAX,
                .first_usec = 1,
                .count = UINT32_MAX,
                .sql_errno = UINT16_MAX,
                .fingerprint = A};
        HistoryEntry entries[HISTORY_MAX];
        char reason[HISTORY_TEXT_MAX];

        memset(reason, '"', sizeof(reason) - 1);
        reason[sizeof(reason) - 1] = '\0';
        entry.text = reason;
        for (unsigned i = 0; i < HISTORY_MAX; i++)
                entries[i] = entry;
        record.history = history_new(entries, HISTORY_MAX);
        assert_true(history_size(record.history) >= 2);
        assert_int_equal(record_format(&text, &record), 0);
        assert_true(strlen(text) < 8 * (size_t)1024);
        assert_int_equal(record_parse(&back, text, strlen(text)), 0);
        assert_int_equal(history_size(back.history), history_size(record.history));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_history_is_read_as_it_was_written),
                cmocka_unit_test(test_a_record_without_an_attempt_has_no_history),
                cmocka_unit_test(test_an_unknown_member_is_ignored),
                cmocka_unit_test(test_an_entry_with_a_fault_is_left_out_alone),
                cmocka_unit_test(test_what_is_null_is_not_known),
                cmocka_unit_test(test_the_largest_history_fits_into_a_record),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
