#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/cluster/roll-back.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const SetInfo set_a = {.fingerprint = A, .not_after_usec = 77};
static const Outcome committed = {.kind = OUTCOME_IMPORTED, .effect.committed = true};
static const Outcome in_doubt = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

/* As the manager does after each import. */
static void import(
        Record *record, const char *fingerprint, const Outcome *outcome, bool was_running)
{
        RecordImport before = record->imported;
        SetInfo set = {0};

        strcpy(set.fingerprint, fingerprint);
        record_apply(record, &set, outcome, 1000);
        record_keep_former(record, &before, outcome, was_running);
}

static void test_the_set_with_which_replication_ran_is_the_former_one(void **state)
{
        Record record = RECORD_NULL;
        const char *former = record.imported.former_fingerprint;

        import(&record, A, &committed, true);
        assert_string_equal(former, ""); /* there was none before */
        import(&record, B, &(Outcome){.kind = OUTCOME_REJECTED}, true);
        assert_string_equal(former, "");
        import(&record, B, &committed, true);
        assert_string_equal(former, A);
        import(&record, B, &committed, true); /* forced */
        assert_string_equal(former, A);
        import(&record, C, &committed, false); /* with B it did not run */
        assert_string_equal(former, A);
        import(&record, B, &committed, true);
        assert_string_equal(former, C);
        import(&record, C, &committed, false); /* a set is not its own predecessor */
        assert_string_equal(former, "");
}

static void test_a_set_in_doubt_keeps_the_former_one(void **state)
{
        Record record = RECORD_NULL;

        import(&record, A, &committed, true);
        import(&record, B, &in_doubt, true);
        assert_string_equal(record.imported.fingerprint, "");
        assert_string_equal(record.imported.former_fingerprint, A);
        import(&record, B, &committed, false);
        assert_string_equal(record.imported.fingerprint, B);
        assert_string_equal(record.imported.former_fingerprint, A);
}

static void test_another_server_had_no_set_before(void **state)
{
        Record record = RECORD_NULL;
        Outcome one = committed, other = committed;

        strcpy(one.server.uuid, "one");
        strcpy(other.server.uuid, "other");
        import(&record, A, &one, true);
        import(&record, B, &other, true);
        assert_string_equal(record.imported.former_fingerprint, "");
}

static void test_a_set_is_proven_by_a_check_after_a_restart(void **state)
{
        Outcome check = {.kind = OUTCOME_ALREADY_CURRENT,
                .replication = {.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes"}};
        Outcome unread = check, connecting = check;
        Record record = RECORD_NULL;

        unread.replication.known = false;
        strcpy(connecting.replication.io_running, "Connecting");
        import(&record, A, &committed, true);
        import(&record, B, &committed, true);
        assert_false(record_update_proof(&record, &check)); /* it may not have connected since */
        record.imported.in_use = true;
        assert_false(record_update_proof(&record, &unread));
        assert_false(record_update_proof(&record, &connecting));
        assert_true(record_update_proof(&record, &check));
        assert_string_equal(record.imported.former_fingerprint, "");
        assert_false(record_update_proof(&record, &check));
}

/* B was imported after A, and is taken back. */
static RollBack begin(Record *record)
{
        Replication replication = {.known = true,
                .io_errno = 1045,
                .io_error = "error connecting to master 'repl@127.0.0.1:3306' - retry-time: 60  "
                            "message: Access denied for user 'repl'"};
        RollBack roll_back;

        import(record, A, &committed, true);
        import(record, B,
                &(Outcome){.kind = OUTCOME_REPLICATION_FAILED,
                        .text = "denied",
                        .warning = "not tested",
                        .effect.committed = true},
                true);
        record->attempt.failures = 3;
        roll_back_begin(&roll_back, record, &set_a, &replication, 2000);
        return roll_back;
}

static void expect_taken_back(const Record *record, const char *imported)
{
        assert_string_equal(record->imported.fingerprint, imported);
        assert_string_equal(record->imported.former_fingerprint, "");
        assert_string_equal(record->attempt.fingerprint, B);
        assert_int_equal(record->attempt.outcome.kind, OUTCOME_ROLLED_BACK);
        assert_int_equal(record->attempt.outcome.sql_errno, 1045);
        assert_int_equal(record->attempt.failures, 4);
        assert_non_null(strstr(record->attempt.outcome.text,
                "set bbbbbbbbbbbb was taken back, since replication failed with it (error 1045: "
                "Access denied for user 'repl'); set aaaaaaaaaaaa "));
        assert_true(record_is_final(record, B));
        assert_false(record_is_final(record, A));
}

static void test_the_record_says_before_the_import_that_nobody_knows_the_set(void **state)
{
        CLEANUP(record_done) Record record = RECORD_NULL;
        CLEANUP(roll_back_done) RollBack roll_back = begin(&record);

        assert_string_equal(roll_back.taken_back.fingerprint, B);
        expect_taken_back(&record, "");
        assert_non_null(strstr(record.attempt.outcome.text, "the result is not known"));
}

static void test_a_roll_back_that_does_not_begin_leaves_the_record_as_it_was(void **state)
{
        CLEANUP(record_done) Record record = RECORD_NULL;
        CLEANUP(roll_back_done) RollBack roll_back = begin(&record);

        roll_back_cancel(&roll_back, &record);
        assert_string_equal(record.imported.fingerprint, B);
        assert_string_equal(record.imported.former_fingerprint, A);
        assert_string_equal(record.imported.warning, "not tested");
        assert_string_equal(record.attempt.fingerprint, B);
        assert_int_equal(record.attempt.outcome.kind, OUTCOME_REPLICATION_FAILED);
        assert_string_equal(record.attempt.outcome.text, "denied");
        assert_int_equal(record.attempt.failures, 3);
}

static void test_the_end_has_both_reasons(void **state)
{
        static const struct {
                Outcome outcome;
                const char *imported, *text;
        } cases[] = {
                {{.kind = OUTCOME_IMPORTED,
                         .effect = {.committed = true, .replication_restarted = true}},
                        A, "is imported again, and replication runs"},
                {{.kind = OUTCOME_IMPORTED, .effect.committed = true}, A,
                        "connects with it by itself"},
                {{.kind = OUTCOME_REPLICATION_FAILED,
                         .text = "no I/O thread",
                         .effect.committed = true},
                        A, "is imported again, but: no I/O thread"},
                {{.kind = OUTCOME_UNREACHABLE, .text = "no route"}, B,
                        "could not be imported again: no route"},
                {{.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true}, "",
                        "may or may not be imported again: unknown"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Outcome outcome = cases[i].outcome;
                CLEANUP(record_done) Record record = RECORD_NULL;
                CLEANUP(roll_back_done) RollBack roll_back = begin(&record);

                roll_back_end(&roll_back, &record, &outcome, 3000);
                expect_taken_back(&record, cases[i].imported);
                assert_non_null(strstr(record.attempt.outcome.text, cases[i].text));
                assert_string_equal(outcome.text, record.attempt.outcome.text);
                assert_int_equal(outcome.kind, OUTCOME_ROLLED_BACK);
                assert_int_equal(outcome.next_step[0] == '\0', i < 2 || i == 4);
                assert_int_equal(record.imported.in_use, i == 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_set_with_which_replication_ran_is_the_former_one),
                cmocka_unit_test(test_a_set_in_doubt_keeps_the_former_one),
                cmocka_unit_test(test_another_server_had_no_set_before),
                cmocka_unit_test(test_a_set_is_proven_by_a_check_after_a_restart),
                cmocka_unit_test(test_the_record_says_before_the_import_that_nobody_knows_the_set),
                cmocka_unit_test(test_a_roll_back_that_does_not_begin_leaves_the_record_as_it_was),
                cmocka_unit_test(test_the_end_has_both_reasons),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
