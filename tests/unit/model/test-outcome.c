#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/model/outcome.h"

/* doc/design.md, "Outcomes" */
static const struct {
        const char *name;
        bool success, transient, next_step;
} kinds[] = {
        [OUTCOME_IMPORTED] = {"imported", true, false, false},
        [OUTCOME_ALREADY_CURRENT] = {"already_current", true, false, false},
        [OUTCOME_REMOVED] = {"removed", true, false, false},
        [OUTCOME_SUPERSEDED] = {"superseded", false, true, true},
        [OUTCOME_REFUSED_LOG] = {"refused_log", false, false, true},
        [OUTCOME_NOT_WRITER] = {"not_writer", false, true, true},
        [OUTCOME_UNREACHABLE] = {"unreachable", false, true, true},
        [OUTCOME_TLS] = {"tls", false, true, true},
        [OUTCOME_AUTH] = {"auth", false, false, true},
        [OUTCOME_NO_PROCEDURE] = {"no_procedure", false, false, true},
        [OUTCOME_NO_PRIVILEGE] = {"no_privilege", false, false, true},
        [OUTCOME_REJECTED] = {"rejected", false, false, true},
        [OUTCOME_TIMED_OUT] = {"timed_out", false, true, false},
        [OUTCOME_UNKNOWN] = {"unknown", false, true, false},
        [OUTCOME_REPLICATION_FAILED] = {"replication_failed", false, false, true},
        [OUTCOME_RECORD_FAILED] = {"record_failed", false, true, true},
        [OUTCOME_SOURCE_REFUSED] = {"source_refused", false, false, true},
        [OUTCOME_SOURCE_UNREACHABLE] = {"source_unreachable", false, true, true},
        [OUTCOME_ROLLED_BACK] = {"rolled_back", false, false, true},
        [OUTCOME_CRASHED] = {"crashed", false, true, true},
};

static void test_every_kind_is_spelled_as_documented_and_read_back(void **state)
{
        assert_int_equal(ARRAY_SIZE(kinds), _OUTCOME_KIND_MAX);
        for (OutcomeKind kind = 0; kind < _OUTCOME_KIND_MAX; kind++) {
                OutcomeKind back = _OUTCOME_KIND_MAX;

                assert_string_equal(outcome_kind_to_string(kind), kinds[kind].name);
                assert_int_equal(outcome_kind_from_string(&back, kinds[kind].name), 0);
                assert_int_equal(back, kind);
        }
        assert_string_equal(outcome_kind_to_string(_OUTCOME_KIND_MAX), "");
}

static void test_an_unknown_name_is_refused(void **state)
{
        static const char *const names[] = {"", "Imported", "imported ", "import", "held"};
        OutcomeKind kind = OUTCOME_TLS;
        Newlines newlines = NEWLINES_RAW;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(outcome_kind_from_string(&kind, names[i]), -EINVAL);
                assert_int_equal(newlines_from_string(&newlines, names[i]), -EINVAL);
        }
        assert_int_equal(kind, OUTCOME_TLS);
        assert_int_equal(newlines, NEWLINES_RAW);
}

static void test_newline_forms_are_spelled_as_in_the_configuration(void **state)
{
        static const char *const names[] = {"auto", "raw", "escaped"};

        assert_int_equal(ARRAY_SIZE(names), _NEWLINES_MAX);
        for (Newlines form = 0; form < _NEWLINES_MAX; form++) {
                Newlines back = _NEWLINES_MAX;

                assert_string_equal(newlines_to_string(form), names[form]);
                assert_int_equal(newlines_from_string(&back, names[form]), 0);
                assert_int_equal(back, form);
        }
        assert_string_equal(newlines_to_string(_NEWLINES_MAX), "");
}

static void test_each_kind_is_a_success_or_transient_or_held(void **state)
{
        for (OutcomeKind kind = 0; kind < _OUTCOME_KIND_MAX; kind++) {
                assert_int_equal(outcome_is_success(kind), kinds[kind].success);
                assert_int_equal(outcome_is_transient(kind, 1644), kinds[kind].transient);
        }
        assert_false(outcome_is_success(_OUTCOME_KIND_MAX));
        assert_false(outcome_is_transient(_OUTCOME_KIND_MAX, 1205));
}

static void test_a_momentary_rejection_is_transient(void **state)
{
        static const unsigned transient[] = {1205, 1213, 1317, 1969, 3024};

        for (size_t i = 0; i < ARRAY_SIZE(transient); i++) {
                assert_true(outcome_is_transient(OUTCOME_REJECTED, transient[i]));
                assert_false(outcome_is_transient(OUTCOME_NO_PRIVILEGE, transient[i]));
        }
        assert_false(outcome_is_transient(OUTCOME_REJECTED, 0));
        assert_false(outcome_is_transient(OUTCOME_REJECTED, 1206));
}

static void test_a_password_that_cannot_be_read_is_transient(void **state)
{
        assert_true(outcome_is_transient(OUTCOME_AUTH, 0));
        assert_false(outcome_is_transient(OUTCOME_AUTH, 1045));
        assert_false(outcome_is_transient(OUTCOME_NO_PROCEDURE, 0));
}

static void test_every_held_kind_has_a_next_step_of_one_line(void **state)
{
        for (OutcomeKind kind = 0; kind < _OUTCOME_KIND_MAX; kind++) {
                const char *next_step = outcome_next_step(kind, "");

                assert_int_equal(next_step[0] != '\0', kinds[kind].next_step);
                assert_null(strchr(next_step, '\n'));
                assert_string_equal(outcome_next_step(kind, "GRANT this"), "GRANT this");
                if (!outcome_is_success(kind) && !outcome_is_transient(kind, 1644))
                        assert_string_not_equal(next_step, "");
        }
        assert_string_equal(outcome_next_step(_OUTCOME_KIND_MAX, ""), "");
}

static void test_what_only_an_operator_ends_is_not_retried(void **state)
{
        for (OutcomeKind kind = 0; kind < _OUTCOME_KIND_MAX; kind++)
                assert_int_equal(outcome_is_retried(kind),
                        kind != OUTCOME_SOURCE_REFUSED && kind != OUTCOME_ROLLED_BACK);
}

static void test_warnings_are_joined(void **state)
{
        Outcome outcome = {0};
        char text[OUTCOME_TEXT_MAX];

        outcome_add_warning(&outcome, "one");
        assert_string_equal(outcome.warning, "one");
        outcome_add_warning(&outcome, "two");
        assert_string_equal(outcome.warning, "one; two");
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        outcome_add_warning(&outcome, text);
        outcome_add_warning(&outcome, text);
        assert_int_equal(strlen(outcome.warning), sizeof(outcome.warning) - 1);
}

/* A text of so many bytes without a NUL, or with a control character. */
static void check_text(Outcome *outcome, char *text, size_t size)
{
        memset(text, 'x', size);
        assert_false(outcome_is_valid(outcome));
        text[size - 1] = '\0';
        assert_true(outcome_is_valid(outcome));
        text[0] = '\n';
        assert_false(outcome_is_valid(outcome));
        text[0] = '\0';
        assert_true(outcome_is_valid(outcome));
}

/* No text but 64 hexadecimal digits. */
static void check_fingerprint(Outcome *outcome, char *text)
{
        memset(text, 'a', REPORT_FINGERPRINT_MAX);
        assert_false(outcome_is_valid(outcome));
        text[REPORT_FINGERPRINT_MAX - 1] = '\0';
        assert_true(outcome_is_valid(outcome));
        text[REPORT_FINGERPRINT_MAX - 2] = '\0';
        assert_false(outcome_is_valid(outcome));
        text[0] = '\0';
        assert_true(outcome_is_valid(outcome));
}

#define EXPECT_FINGERPRINT(member) check_fingerprint(&outcome, outcome.member)
#define EXPECT_TEXT(member)        check_text(&outcome, outcome.member, sizeof(outcome.member))

static void test_an_outcome_with_a_text_that_does_not_end_is_invalid(void **state)
{
        Outcome outcome = {0};

        assert_true(outcome_is_valid(&outcome));
        EXPECT_TEXT(text);
        EXPECT_TEXT(next_step);
        EXPECT_TEXT(warning);
        EXPECT_TEXT(server.address);
        EXPECT_TEXT(server.uuid);
        EXPECT_TEXT(server.version);
        EXPECT_TEXT(server.tls_version);
        EXPECT_TEXT(server.tls_cipher);
        EXPECT_TEXT(replication.io_running);
        EXPECT_TEXT(replication.sql_running);
        EXPECT_TEXT(replication.io_error);
        EXPECT_TEXT(replication.io_error_time);
        EXPECT_TEXT(replication.sql_error);
        EXPECT_TEXT(replication.source_host);
        EXPECT_FINGERPRINT(ledger.newest.set.fingerprint);
        EXPECT_FINGERPRINT(ledger.newest.set.legacy_fingerprint);
        EXPECT_TEXT(ledger.newest.daemon);
        EXPECT_FINGERPRINT(ledger.stop.fingerprint);
        EXPECT_TEXT(ledger.stop.log_file);
}

/* `member` has a value that its type does not have. */
static void check_value(Outcome *outcome, void *member, size_t size, unsigned beyond)
{
        memcpy(member, &beyond, size);
        assert_false(outcome_is_valid(outcome));
        memset(member, 0, size);
        assert_true(outcome_is_valid(outcome));
}

#define EXPECT_VALUE(member, beyond) \
        check_value(&outcome, &outcome.member, sizeof(outcome.member), beyond)

static void test_an_outcome_with_a_value_that_its_type_lacks_is_invalid(void **state)
{
        Outcome outcome = {0};

        EXPECT_VALUE(kind, _OUTCOME_KIND_MAX);
        EXPECT_VALUE(kind, UINT32_MAX);
        EXPECT_VALUE(effect.newlines, _NEWLINES_MAX);
        EXPECT_VALUE(replication.halt, _REPLICATION_HALT_MAX);
        EXPECT_VALUE(replication.tls, _TRISTATE_MAX);
        EXPECT_VALUE(ledger.newest.state, _LEDGER_STATE_MAX);
        EXPECT_VALUE(ledger.stop.mode, _REPLICATION_MODE_MAX);
        EXPECT_VALUE(effect.committed, 2);
        EXPECT_VALUE(effect.in_doubt, 2);
        EXPECT_VALUE(effect.stop_over, 2);
        EXPECT_VALUE(effect.replication_started, 2);
        EXPECT_VALUE(effect.replication_restarted, 2);
        EXPECT_VALUE(effect.restart_due, 2);
        EXPECT_VALUE(effect.newlines_learned, 2);
        EXPECT_VALUE(replication.known, 2);
        EXPECT_VALUE(replication.configured, 2);
        EXPECT_VALUE(replication.io_repeated, 2);
        EXPECT_VALUE(replication.lag_known, 2);
        EXPECT_VALUE(replication.lag_null, 2);
        EXPECT_VALUE(replication.stopped_by_us, 2);
        EXPECT_VALUE(ledger.known, 2);
        EXPECT_VALUE(ledger.stop.running, 2);
        EXPECT_VALUE(ledger.stop.completed, 2);
        EXPECT_VALUE(sql_errno, UINT16_MAX + 1);
}

/* A record has numbers of 63 bits. */
static void test_an_outcome_with_a_number_that_cannot_be_recorded_is_invalid(void **state)
{
        Outcome outcome = {0};
        uint64_t *const numbers[] = {&outcome.ledger.newest.set.not_before_usec,
                &outcome.ledger.newest.set.not_after_usec, &outcome.ledger.newest.imported_at_usec,
                &outcome.ledger.stop.at_usec, &outcome.ledger.stop.log_position};

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                *numbers[i] = INT64_MAX;
                assert_true(outcome_is_valid(&outcome));
                *numbers[i] += 1;
                assert_false(outcome_is_valid(&outcome));
                *numbers[i] = 0;
        }
}

static void test_a_kept_outcome_has_a_reason_and_a_next_step_also_without_its_texts(void **state)
{
        Outcome outcome = {.kind = OUTCOME_AUTH, .sql_errno = 1045, .text = "denied"};
        CLEANUP(kept_outcome_done) KeptOutcome kept = KEPT_OUTCOME_NULL;

        assert_string_equal(kept_outcome_reason(&kept), "");
        assert_string_equal(kept_outcome_to_string(&kept), "");
        assert_string_equal(kept_outcome_next_step(&kept), "");
        assert_false(kept_outcome_failed(&kept));
        kept_outcome_set(&kept, &outcome);
        assert_true(kept_outcome_failed(&kept));
        assert_int_equal(kept.sql_errno, 1045);
        assert_string_equal(kept_outcome_reason(&kept), "denied");
        assert_string_equal(kept_outcome_next_step(&kept), outcome_next_step(OUTCOME_AUTH, ""));
        outcome = (Outcome){.kind = OUTCOME_TLS, .next_step = "look"};
        kept_outcome_set(&kept, &outcome);
        assert_string_equal(kept_outcome_reason(&kept), "tls");
        assert_string_equal(kept_outcome_next_step(&kept), "look");
        outcome = (Outcome){.kind = OUTCOME_IMPORTED};
        kept_outcome_set(&kept, &outcome);
        assert_false(kept_outcome_failed(&kept));
        assert_null(kept.text);
        assert_null(kept.next_step);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_a_kept_outcome_has_a_reason_and_a_next_step_also_without_its_texts),
                cmocka_unit_test(test_every_kind_is_spelled_as_documented_and_read_back),
                cmocka_unit_test(test_an_unknown_name_is_refused),
                cmocka_unit_test(test_newline_forms_are_spelled_as_in_the_configuration),
                cmocka_unit_test(test_each_kind_is_a_success_or_transient_or_held),
                cmocka_unit_test(test_a_momentary_rejection_is_transient),
                cmocka_unit_test(test_a_password_that_cannot_be_read_is_transient),
                cmocka_unit_test(test_what_only_an_operator_ends_is_not_retried),
                cmocka_unit_test(test_warnings_are_joined),
                cmocka_unit_test(test_an_outcome_with_a_text_that_does_not_end_is_invalid),
                cmocka_unit_test(test_an_outcome_with_a_value_that_its_type_lacks_is_invalid),
                cmocka_unit_test(test_an_outcome_with_a_number_that_cannot_be_recorded_is_invalid),
                cmocka_unit_test(test_every_held_kind_has_a_next_step_of_one_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
