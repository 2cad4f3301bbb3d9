#include "tests/unit/test.h"

#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/model/record.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static Record attempted(const char *fingerprint, OutcomeKind kind, bool committed)
{
        Record record = RECORD_NULL;
        Outcome outcome = {.kind = kind, .effect.committed = committed};
        SetInfo set = {0};

        strcpy(set.fingerprint, fingerprint);
        record_apply(&record, &set, &outcome, 1000);
        return record;
}

static LedgerEntry row(const char *fingerprint, LedgerState state)
{
        LedgerEntry entry = {.state = state};

        strcpy(entry.set.fingerprint, fingerprint);
        return entry;
}

static void test_a_record_of_another_server_is_forgotten(void **state)
{
        static const struct {
                const char *host;
                unsigned port;
                bool other;
        } cases[] = {{"db.example", 3306, false}, {"db.example", 3307, true},
                {"db2.example", 3306, true}, {"", 3306, true}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Record record = attempted(A, OUTCOME_IMPORTED, true);

                assert_true(record_set_server(&record, "db.example", 3306));
                assert_string_equal(record.imported.fingerprint, ""); /* it was of no server */
                record_apply(&record, &(SetInfo){.fingerprint = A},
                        &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true}, 2000);
                strcpy(record.warned.fingerprint, A);
                record.warned.within_usec = 7;

                assert_int_equal(
                        record_set_server(&record, cases[i].host, cases[i].port), cases[i].other);
                assert_string_equal(record.host, cases[i].host);
                assert_int_equal(record.port, cases[i].port);
                assert_string_equal(record.imported.fingerprint, cases[i].other ? "" : A);
                assert_int_equal(record.attempt.outcome.known, !cases[i].other);
                assert_int_equal(record.last_success_usec, cases[i].other ? 0 : 2000);
                assert_string_equal(record.warned.fingerprint, A);
                assert_int_equal(record.warned.within_usec, 7);
        }
}

#define ONE   "11111111-1111-1111-1111-111111111111"
#define OTHER "22222222-2222-2222-2222-222222222222"

static Outcome answer_of(const char *uuid)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT};

        text_set(outcome.server.uuid, sizeof(outcome.server.uuid), uuid);
        return outcome;
}

/* A has been imported into the server ONE, or one that does not report its identity. */
static Record imported_into(const char *uuid)
{
        Record record = RECORD_NULL;
        Outcome outcome = answer_of(uuid);

        outcome.kind = OUTCOME_IMPORTED;
        outcome.effect.committed = true;
        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 1000);
        return record;
}

static void test_a_set_is_not_known_to_be_in_another_server(void **state)
{
        Record record = imported_into(ONE);
        Outcome same = answer_of(ONE), unknown = answer_of(""), other = answer_of(OTHER);

        assert_false(record_update_server(&record, &same));
        assert_false(record_update_server(&record, &unknown));
        assert_string_equal(record.imported.fingerprint, A);
        assert_true(record_update_server(&record, &other));
        assert_string_equal(record.imported.fingerprint, "");
        assert_false(record_update_server(&record, &other));
        assert_int_equal(record.attempt.outcome.kind, OUTCOME_IMPORTED);
}

static void test_a_server_that_reports_its_identity_later_is_the_same(void **state)
{
        Record record = imported_into("");
        Outcome one = answer_of(ONE), other = answer_of(OTHER);

        assert_true(record_update_server(&record, &one));
        assert_string_equal(record.imported.fingerprint, A);
        assert_true(record_update_server(&record, &other));
        assert_string_equal(record.imported.fingerprint, "");
}

static void test_the_ledger_of_another_server_says_what_it_has(void **state)
{
        Record record = imported_into(ONE);
        Outcome other = answer_of(OTHER);

        other.ledger.known = true;
        other.ledger.newest = row(A, LEDGER_STATE_IMPORTED);
        assert_true(record_update_server(&record, &other));
        assert_false(record_update_from_ledger(&record, &other));
        assert_string_equal(record.imported.fingerprint, A);
        assert_string_equal(record.imported.server_uuid, OTHER);
}

static void test_an_attempt_at_another_server_says_nothing_of_the_one_before(void **state)
{
        Record record = imported_into(ONE);
        Outcome refused = answer_of(OTHER);

        refused.kind = OUTCOME_REFUSED_LOG;
        record_apply(&record, &(SetInfo){.fingerprint = B}, &refused, 2000);
        assert_string_equal(record.imported.fingerprint, "");
        refused.kind = OUTCOME_IMPORTED;
        refused.effect.committed = true;
        record_apply(&record, &(SetInfo){.fingerprint = B}, &refused, 3000);
        assert_string_equal(record.imported.fingerprint, B);
        assert_string_equal(record.imported.server_uuid, OTHER);
}

static void test_the_ledger_replaces_the_imported_set(void **state)
{
        Outcome imported = {.kind = OUTCOME_IMPORTED, .effect.committed = true};
        Outcome check = {.kind = OUTCOME_ALREADY_CURRENT};
        Record record = RECORD_NULL;

        record_apply(&record, &(SetInfo){.fingerprint = B}, &imported, 5000);
        record.imported.in_use = true;
        assert_false(record_update_from_ledger(&record, &check)); /* the ledger was not read */
        check.ledger.known = true;
        check.ledger.newest = row(B, LEDGER_STATE_IMPORTED);
        assert_false(record_update_from_ledger(&record, &check));
        assert_true(record.imported.in_use);
        assert_int_equal(record.imported.at_usec, 5000);

        check.ledger.newest = row(A, LEDGER_STATE_IMPORTED);
        check.ledger.newest.imported_at_usec = 4000;
        check.ledger.newest.set.not_after_usec = 9000;
        assert_true(record_update_from_ledger(&record, &check));
        assert_string_equal(record.imported.fingerprint, A);
        assert_int_equal(record.imported.at_usec, 4000);
        assert_int_equal(record.imported.not_after_usec, 9000);
        assert_false(record.imported.in_use);

        check.ledger.newest.state = LEDGER_STATE_IMPORTING;
        assert_true(record_update_from_ledger(&record, &check));
        assert_string_equal(record.imported.fingerprint, "");
        assert_int_equal(record.imported.at_usec, 0);
}

static void test_a_set_found_in_the_ledger_is_recorded_with_its_own_time(void **state)
{
        Outcome outcome = {.kind = OUTCOME_ALREADY_CURRENT, .ledger.known = true};
        Record record = RECORD_NULL;

        outcome.ledger.newest = row(B, LEDGER_STATE_IMPORTED);
        outcome.ledger.newest.imported_at_usec = 4000;
        record_apply(&record, &(SetInfo){.fingerprint = B}, &outcome, 5000);
        assert_string_equal(record.imported.fingerprint, B);
        assert_int_equal(record.imported.at_usec, 4000);
        assert_int_equal(record.last_success_usec, 5000);
        assert_int_equal(record.attempt.failures, 0);

        outcome.kind = OUTCOME_SUPERSEDED;
        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 6000);
        assert_string_equal(record.imported.fingerprint, B);
        assert_int_equal(record.attempt.failures, 1);
}

static void test_attempts_count_failures_in_a_row_with_one_set(void **state)
{
        Record record = attempted(A, OUTCOME_UNREACHABLE, false);
        Outcome outcome = {.kind = OUTCOME_TLS};

        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 2000);
        assert_int_equal(record.attempt.failures, 2);
        record_apply(&record, &(SetInfo){.fingerprint = B}, &outcome, 3000);
        assert_int_equal(record.attempt.failures, 1);
        assert_string_equal(record.imported.fingerprint, "");
}

static void test_an_import_in_doubt_clears_another_imported_set(void **state)
{
        Record record = attempted(A, OUTCOME_IMPORTED, true);
        Outcome outcome = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

        record.imported.not_after_usec = 77;
        record.imported.in_use = true;
        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 2000);
        assert_string_equal(record.imported.fingerprint, A);
        assert_true(record.imported.in_use);
        record_apply(&record, &(SetInfo){.fingerprint = B}, &outcome, 3000);
        assert_string_equal(record.imported.fingerprint, "");
        assert_int_equal(record.imported.at_usec, 0);
        assert_int_equal(record.imported.not_after_usec, 0);
        assert_false(record.imported.in_use);
}

static void test_only_a_restart_of_replication_puts_a_set_in_use(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.committed = true};
        SetInfo set = {.fingerprint = A, .not_before_usec = 76, .not_after_usec = 77};
        Record record = RECORD_NULL;

        outcome.effect.replication_restarted = true;
        record_apply(&record, &set, &outcome, 1000);
        assert_true(record.imported.in_use);
        assert_int_equal(record.imported.not_before_usec, 76);
        assert_int_equal(record.imported.not_after_usec, 77);
        outcome.effect.replication_restarted = false;
        record_apply(&record, &set, &outcome, 2000);
        assert_false(record.imported.in_use);
        assert_int_equal(record.imported.at_usec, 2000);
}

static void test_a_warning_stays_with_the_import_until_the_next_one(void **state)
{
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.committed = true};
        Outcome failure = {.kind = OUTCOME_UNREACHABLE, .warning = "of another"};
        SetInfo set = {.fingerprint = A};
        CLEANUP(record_done) Record record = RECORD_NULL;

        outcome_add_warning(&outcome, "not tested");
        record_apply(&record, &set, &outcome, 1000);
        assert_string_equal(record.imported.warning, "not tested");
        record_apply(&record, &set, &failure, 2000);
        assert_string_equal(record.imported.warning, "not tested");
        outcome.warning[0] = '\0';
        record_apply(&record, &set, &outcome, 3000);
        assert_null(record.imported.warning);
}

/* What is lost is freed: with a sanitizer nothing leaks. */
static void test_what_is_forgotten_takes_its_texts_along(void **state)
{
        Outcome outcome = {.kind = OUTCOME_REPLICATION_FAILED,
                .text = "no thread",
                .next_step = "look",
                .warning = "not tested",
                .effect.committed = true};
        RecordProof proof = {.fingerprint = A, .failed = true};
        Outcome removed = {.kind = OUTCOME_REMOVED, .warning = "it runs"};
        CLEANUP(record_done) Record record = RECORD_NULL;

        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 1000);
        record_set_proof(&record, &proof, "stopped");
        record_begin_removal(&record, 2000);
        record_apply_removal(&record, &removed);
        assert_null(record.imported.warning);
        assert_null(record.proof_fault);
        assert_string_equal(record.removal.outcome.text, "it runs");
        record_begin_removal(&record, 3000);
        assert_true(record_is_removing(&record));
        assert_null(record.removal.outcome.text);
        record_note_removal(&record, &outcome);
        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 4000);
        record_set_proof(&record, &proof, "stopped");
        assert_true(record_set_server(&record, "other", 3306));
        assert_memory_equal(&record.imported, &(RecordImport){0}, sizeof(record.imported));
        assert_null(record.attempt.outcome.text);
        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 5000);
}

static void test_a_failed_proof_has_a_fault_also_without_its_text(void **state)
{
        RecordProof proof = {.fingerprint = A};
        CLEANUP(record_done) Record record = RECORD_NULL;

        record_set_proof(&record, &proof, "unclear");
        assert_string_equal(record_proof_fault(&record), "");
        assert_false(record_proof_has_ended(&record.proof));
        proof.failed = true;
        record_set_proof(&record, &proof, "stopped");
        assert_string_equal(record_proof_fault(&record), "stopped");
        record_set_proof(&record, &proof, ""); /* as without memory */
        assert_string_equal(record_proof_fault(&record), "replication failed");
        assert_true(record_proof_has_ended(&record.proof));
}

static void test_the_form_that_worked_is_kept_until_another_works(void **state)
{
        Record record = attempted(A, OUTCOME_TLS, false);
        Outcome outcome = {.kind = OUTCOME_IMPORTED,
                .effect = {.committed = true, .newlines = NEWLINES_ESCAPED}};

        assert_int_equal(record.newlines, NEWLINES_AUTO);
        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 2000);
        assert_int_equal(record.newlines, NEWLINES_ESCAPED);
        outcome = (Outcome){.kind = OUTCOME_TLS};
        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 3000);
        assert_int_equal(record.newlines, NEWLINES_ESCAPED);
}

static void test_an_import_begins_the_proof_anew_unless_it_has_ended(void **state)
{
        static const struct {
                RecordProof proof;
                bool kept;
        } cases[] = {
                {{.fingerprint = A, .since_usec = 7}, false},
                {{.fingerprint = A, .since_usec = 7, .proven = true}, true},
                {{.fingerprint = A, .since_usec = 7, .failed = true}, true},
                {{.fingerprint = B, .since_usec = 7, .proven = true}, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Record record = {.proof = cases[i].proof};
                SetInfo set = {.fingerprint = A};

                record_apply(&record, &set, &(Outcome){.kind = OUTCOME_UNREACHABLE}, 1000);
                assert_true(record_proof_equal(&record.proof, &cases[i].proof));
                record_apply(&record, &set,
                        &(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true}, 1000);
                assert_int_equal(record.proof.since_usec, cases[i].kept ? 7 : 0);
                assert_int_equal(record_proof_equal(&record.proof, &cases[i].proof), cases[i].kept);
        }
}

static void test_active_threads_do_not_end_a_stop_that_may_follow(void **state)
{
        static const struct {
                bool completed;
                uint64_t read_usec;
                bool cleared;
        } cases[] = {
                {false, 99 * USEC_PER_SEC, false},
                {false, 109 * USEC_PER_SEC - 1, false},
                {false, 109 * USEC_PER_SEC, true},
                {false, 98 * USEC_PER_SEC, true}, /* the clock was set back */
                {true, 99 * USEC_PER_SEC, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Record record = {
                        .stop = {.at_usec = 99 * USEC_PER_SEC, .completed = cases[i].completed}};
                Outcome outcome = {.replication = {.known = true,
                                           .configured = true,
                                           .io_running = "Yes",
                                           .sql_running = "Yes",
                                           .checked_at_usec = cases[i].read_usec}};

                assert_int_equal(record_update_stop(&record, &outcome), cases[i].cleared);
                assert_int_equal(record_is_stopped(&record), !cases[i].cleared);
        }
}

static void test_a_stop_is_cleared_when_replication_is_started_or_active(void **state)
{
        static const struct {
                bool started;
                Replication replication;
                bool cleared;
        } cases[] = {
                {false, {0}, false},
                {true, {0}, true},
                {false,
                        {.known = true,
                                .configured = true,
                                .io_running = "No",
                                .sql_running = "No"},
                        false},
                {false,
                        {.known = true,
                                .configured = true,
                                .io_running = "Connecting",
                                .sql_running = "Yes"},
                        true},
                {false,
                        {.known = true,
                                .configured = true,
                                .io_running = "No",
                                .io_errno = 2003,
                                .sql_running = "Yes"},
                        true},
                {false, /* the stop has not ended */
                        {.known = true,
                                .configured = true,
                                .io_running = "No",
                                .sql_running = "Yes",
                                .halt = REPLICATION_HALT_PERSON},
                        false},
                {false, {.known = true}, true}, /* the replica was reset */
                {false, {.configured = true, .io_running = "Yes", .sql_running = "Yes"}, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Record record = {.stop = {.at_usec = 99, .log_position = 7}}, before = record;
                Outcome outcome = {.kind = OUTCOME_UNREACHABLE,
                        .effect.replication_started = cases[i].started,
                        .replication = cases[i].replication};

                assert_int_equal(record_update_stop(&record, &outcome), cases[i].cleared);
                assert_int_equal(record_is_stopped(&record), !cases[i].cleared);
                assert_false(cases[i].cleared && record_update_stop(&record, &outcome));
                assert_int_equal(record.stop.log_position, cases[i].cleared ? 0 : 7);
                record_apply(&before, &(SetInfo){.fingerprint = A}, &outcome, 2000);
                assert_int_equal(record_is_stopped(&before), !cases[i].cleared);
        }
}

static void test_a_record_with_the_legacy_fingerprint_adopts_the_set(void **state)
{
        SetInfo set = {.fingerprint = B, .legacy_fingerprint = A, .not_before_usec = 7};
        Record record = {.imported = {.fingerprint = A, .former_fingerprint = A},
                .attempt.fingerprint = A,
                .warned.fingerprint = A,
                .stop.fingerprint = A,
                .proof.fingerprint = A,
                .by_hand = A};

        assert_true(record_adopt_set(&record, &set));
        assert_string_equal(record.imported.fingerprint, B);
        assert_int_equal(record.imported.not_before_usec, 7);
        assert_string_equal(record.imported.former_fingerprint, B);
        assert_string_equal(record.attempt.fingerprint, B);
        assert_string_equal(record.warned.fingerprint, B);
        assert_string_equal(record.stop.fingerprint, B);
        assert_string_equal(record.proof.fingerprint, B);
        assert_string_equal(record.by_hand, B);
        assert_false(record_adopt_set(&record, &set));
}

static void test_a_record_of_another_set_or_of_none_adopts_nothing(void **state)
{
        SetInfo set = {.fingerprint = B, .not_before_usec = 7};
        Record none = RECORD_NULL, other = {.imported.fingerprint = A};

        assert_false(record_adopt_set(&none, &set));
        assert_string_equal(none.imported.fingerprint, "");
        assert_false(record_adopt_set(&other, &set));
        assert_string_equal(other.imported.fingerprint, A);
        assert_int_equal(other.imported.not_before_usec, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_record_with_the_legacy_fingerprint_adopts_the_set),
                cmocka_unit_test(test_a_record_of_another_set_or_of_none_adopts_nothing),
                cmocka_unit_test(test_a_record_of_another_server_is_forgotten),
                cmocka_unit_test(test_a_set_is_not_known_to_be_in_another_server),
                cmocka_unit_test(test_a_server_that_reports_its_identity_later_is_the_same),
                cmocka_unit_test(test_the_ledger_of_another_server_says_what_it_has),
                cmocka_unit_test(test_an_attempt_at_another_server_says_nothing_of_the_one_before),
                cmocka_unit_test(test_the_ledger_replaces_the_imported_set),
                cmocka_unit_test(test_a_set_found_in_the_ledger_is_recorded_with_its_own_time),
                cmocka_unit_test(test_attempts_count_failures_in_a_row_with_one_set),
                cmocka_unit_test(test_an_import_in_doubt_clears_another_imported_set),
                cmocka_unit_test(test_what_is_forgotten_takes_its_texts_along),
                cmocka_unit_test(test_a_failed_proof_has_a_fault_also_without_its_text),
                cmocka_unit_test(test_only_a_restart_of_replication_puts_a_set_in_use),
                cmocka_unit_test(test_a_warning_stays_with_the_import_until_the_next_one),
                cmocka_unit_test(test_the_form_that_worked_is_kept_until_another_works),
                cmocka_unit_test(test_an_import_begins_the_proof_anew_unless_it_has_ended),
                cmocka_unit_test(test_active_threads_do_not_end_a_stop_that_may_follow),
                cmocka_unit_test(test_a_stop_is_cleared_when_replication_is_started_or_active),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
