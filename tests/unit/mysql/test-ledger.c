#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/mysql/ledger.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* Stand-ins: every statement returns this row. */
static const char *values[] = {"7", A, "1000", "2000", "1500", "imported", "host", NULL, "1"};
static const char *const names[] = {"id", "fingerprint", "not_before_usec", "not_after_usec",
        "imported_at_usec", "state", "daemon", "replication_stopped", "is_free"};

SessionResult session_query(Session *session, const char *statement, session_row_fn fn,
        void *userdata, SessionError *ret_error)
{
        fn(userdata, ARRAY_SIZE(names), names, values);
        return SESSION_OK;
}

uint64_t session_insert_id(const Session *session)
{
        return 0;
}

/* The time of a set's certificate comes from its letter: a later letter is a newer set. */
static LedgerEntry row(const char *fingerprint, LedgerState state)
{
        LedgerEntry entry = {
                .state = state, .set = {.not_before_usec = (uint64_t)fingerprint[0] * 1000}};

        strcpy(entry.set.fingerprint, fingerprint);
        return entry;
}

static LedgerComparison compare(const char *fingerprint, const LedgerEntry *entries, size_t n)
{
        SetInfo set = {.not_before_usec = (uint64_t)fingerprint[0] * 1000};
        Ledger ledger = {.n_entries = n};

        strcpy(set.fingerprint, fingerprint);
        if (n > 0)
                memcpy(ledger.entries, entries, n * sizeof(*entries));
        return ledger_compare(&ledger, &set);
}

static void test_an_empty_ledger_needs_an_import(void **state)
{
        LedgerEntry failed[] = {row(A, LEDGER_STATE_FAILED), row(B, LEDGER_STATE_FAILED)};

        assert_int_equal(compare(A, NULL, 0), LEDGER_IMPORT);
        assert_int_equal(compare(A, failed, 2), LEDGER_IMPORT);
}

static void test_only_a_completed_row_makes_a_set_current(void **state)
{
        LedgerEntry entry = row(B, LEDGER_STATE_IMPORTED);

        assert_int_equal(compare(B, &entry, 1), LEDGER_CURRENT);
        entry.state = LEDGER_STATE_IMPORTING;
        assert_int_equal(compare(B, &entry, 1), LEDGER_IMPORT);
        entry.state = LEDGER_STATE_FAILED;
        assert_int_equal(compare(B, &entry, 1), LEDGER_IMPORT);
}

static void test_after_a_removal_every_set_is_imported(void **state)
{
        LedgerEntry entries[] = {row(B, LEDGER_STATE_REMOVED), row(A, LEDGER_STATE_REMOVED)};

        assert_int_equal(compare(A, entries, 2), LEDGER_IMPORT);
        assert_int_equal(compare(B, entries, 2), LEDGER_IMPORT);
        assert_int_equal(compare(C, entries, 2), LEDGER_IMPORT);
        entries[0] = row(B, LEDGER_STATE_IMPORTED);
        assert_int_equal(compare(B, entries, 2), LEDGER_CURRENT);
        assert_int_equal(compare(A, entries, 2), LEDGER_SUPERSEDED);
}

static void test_a_newer_set_is_imported_over_an_older_one(void **state)
{
        LedgerEntry entries[] = {row(B, LEDGER_STATE_IMPORTED), row(A, LEDGER_STATE_IMPORTED)};

        assert_int_equal(compare(C, entries, 2), LEDGER_IMPORT);
}

static void test_an_older_set_is_not_imported_over_a_newer_one(void **state)
{
        LedgerEntry entries[] = {row(B, LEDGER_STATE_IMPORTED), row(A, LEDGER_STATE_IMPORTED)};

        assert_int_equal(compare(A, entries, 2), LEDGER_SUPERSEDED);
        /* Also if the older set has no row, and if the result of the newer one is unknown. */
        assert_int_equal(compare(A, entries, 1), LEDGER_SUPERSEDED);
        entries[0].state = LEDGER_STATE_IMPORTING;
        assert_int_equal(compare(A, entries, 2), LEDGER_SUPERSEDED);
        /* A set that the server refused does not count. */
        entries[0].state = LEDGER_STATE_FAILED;
        assert_int_equal(compare(A, entries, 2), LEDGER_CURRENT);
}

static void test_with_one_certificate_the_order_of_the_rows_decides(void **state)
{
        LedgerEntry entries[] = {row(C, LEDGER_STATE_IMPORTED), row(B, LEDGER_STATE_IMPORTED),
                row(A, LEDGER_STATE_IMPORTED)};
        SetInfo set = {.fingerprint = B, .not_before_usec = 1000};
        Ledger ledger = {.n_entries = 3};

        for (size_t i = 0; i < 3; i++) {
                entries[i].set.not_before_usec = 1000;
                ledger.entries[i] = entries[i];
        }
        assert_int_equal(ledger_compare(&ledger, &set), LEDGER_SUPERSEDED);
        strcpy(set.fingerprint, C);
        assert_int_equal(ledger_compare(&ledger, &set), LEDGER_CURRENT);
        /* Without a row the set counts as newer. */
        ledger.entries[1].state = LEDGER_STATE_FAILED;
        strcpy(set.fingerprint, B);
        assert_int_equal(ledger_compare(&ledger, &set), LEDGER_IMPORT);
}

static void test_a_row_with_the_legacy_fingerprint_is_of_the_set(void **state)
{
        SetInfo set = {.fingerprint = C, .legacy_fingerprint = A, .not_before_usec = 'a' * 1000};
        Ledger ledger = {.entries = {row(A, LEDGER_STATE_IMPORTED)}, .n_entries = 1};
        LedgerReading reading = {.known = true, .newest = ledger.entries[0]};

        assert_int_equal(ledger_compare(&ledger, &set), LEDGER_IMPORT);
        ledger_adopt_set(&ledger, &reading, &set);
        assert_int_equal(ledger_compare(&ledger, &set), LEDGER_CURRENT);
        assert_string_equal(reading.newest.set.fingerprint, C);
}

static void test_a_row_without_a_fingerprint_is_of_no_set(void **state)
{
        SetInfo set = {.fingerprint = C};
        Ledger ledger = {.entries = {row("", LEDGER_STATE_IMPORTED)}, .n_entries = 1};
        LedgerReading reading = {.known = true, .newest = ledger.entries[0]};

        ledger_adopt_set(&ledger, &reading, &set);
        assert_int_equal(ledger_compare(&ledger, &set), LEDGER_IMPORT);
        assert_string_equal(reading.newest.set.fingerprint, "");
}

static LedgerReading read_row(void)
{
        Ledger ledger;
        LedgerReading reading;
        SessionError error;

        assert_int_equal(ledger_read(&ledger, &reading, NULL, "ops.ledger", &error), SESSION_OK);
        assert_int_equal(ledger.n_entries, 1);
        return reading;
}

static void test_a_row_is_read(void **state)
{
        LedgerReading reading = read_row();

        assert_true(reading.known);
        assert_int_equal(reading.newest.id, 7);
        assert_int_equal(reading.newest.state, LEDGER_STATE_IMPORTED);
        assert_string_equal(reading.newest.set.fingerprint, A);
        assert_int_equal(reading.newest.set.not_before_usec, 1000);
        assert_int_equal(reading.newest.set.not_after_usec, 2000);
        assert_int_equal(reading.newest.imported_at_usec, 1500);
        assert_string_equal(reading.newest.daemon, "host");
}

/* A record has no negative numbers, and one that has cannot be read. */
static void test_a_time_before_1970_is_unknown(void **state)
{
        const char *const saved = values[2];

        values[2] = "-1000";
        assert_int_equal(read_row().newest.set.not_before_usec, 0);
        values[2] = saved;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_empty_ledger_needs_an_import),
                cmocka_unit_test(test_a_row_with_the_legacy_fingerprint_is_of_the_set),
                cmocka_unit_test(test_a_row_without_a_fingerprint_is_of_no_set),
                cmocka_unit_test(test_only_a_completed_row_makes_a_set_current),
                cmocka_unit_test(test_after_a_removal_every_set_is_imported),
                cmocka_unit_test(test_a_newer_set_is_imported_over_an_older_one),
                cmocka_unit_test(test_an_older_set_is_not_imported_over_a_newer_one),
                cmocka_unit_test(test_with_one_certificate_the_order_of_the_rows_decides),
                cmocka_unit_test(test_a_row_is_read),
                cmocka_unit_test(test_a_time_before_1970_is_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
