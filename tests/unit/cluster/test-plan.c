#include "tests/unit/test.h"

#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "daemon/cluster/plan.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static Record imported(const char *fingerprint)
{
        Record record = RECORD_NULL;
        Outcome outcome = {.kind = OUTCOME_IMPORTED, .effect.committed = true};
        SetInfo set = {0};

        strcpy(set.fingerprint, fingerprint);
        record_apply(&record, &set, &outcome, 1000);
        return record;
}

static Record failed(const char *fingerprint, OutcomeKind kind)
{
        Record record = RECORD_NULL;
        Outcome outcome = {.kind = kind};
        SetInfo set = {0};

        strcpy(set.fingerprint, fingerprint);
        record_apply(&record, &set, &outcome, 1000);
        return record;
}

static Plan plan(const Record *record, const char *fingerprint, uint64_t retry_usec)
{
        PlanInput input = {.enabled = true,
                .fingerprint = fingerprint,
                .record = record,
                .retry_usec = retry_usec};

        return plan_cluster(&input, 100);
}

static void test_a_new_set_is_imported_and_the_same_is_kept(void **state)
{
        Record none = RECORD_NULL, has_a = imported(A);

        assert_int_equal(plan(&none, A, 0).action, PLAN_IMPORT);
        assert_int_equal(plan(&has_a, A, 0).action, PLAN_KEEP);
        assert_int_equal(plan(&has_a, B, 0).action, PLAN_IMPORT);
}

static void test_an_import_that_runs_comes_before_everything_else(void **state)
{
        Record none = RECORD_NULL;
        PlanInput input = {.importing = true, .record = &none, .forced = true};
        Plan found;

        for (int i = 0; i < 4; i++) {
                input.enabled = i & 1;
                input.fingerprint = i & 2 ? A : NULL;
                found = plan_cluster(&input, 100);
                assert_int_equal(found.action, PLAN_RUNS);
                assert_int_equal(plan_state(&found, &none), CLUSTER_IMPORTING);
        }
}

static const RecordStop stop = {.at_usec = 1000, .fingerprint = B};

/* At time 100. */
static Plan plan_stopped(
        Record record, const char *fingerprint, uint64_t retry_usec, uint64_t start_usec)
{
        PlanInput input = {.enabled = true,
                .fingerprint = fingerprint,
                .record = &record,
                .retry_usec = retry_usec,
                .start_usec = start_usec,
                .checks = true};

        record.stop = stop;
        return plan_cluster(&input, 100);
}

static void test_stopped_replication_is_started_without_an_import(void **state)
{
        assert_int_equal(plan_stopped(RECORD_NULL, NULL, 0, 100).action, PLAN_START_REPLICATION);
        assert_int_equal(plan_stopped(imported(A), NULL, 0, 0).action, PLAN_START_REPLICATION);
        assert_int_equal(plan_stopped(imported(A), A, 0, 0).action, PLAN_START_REPLICATION);
        assert_int_equal(plan_stopped(failed(B, OUTCOME_REJECTED), B, 500, 0).action,
                PLAN_START_REPLICATION);
        /* These end with a start. */
        assert_int_equal(plan_stopped(imported(A), B, 0, 0).action, PLAN_IMPORT);
        assert_int_equal(plan_stopped(failed(B, OUTCOME_REJECTED), B, 100, 0).action, PLAN_IMPORT);
}

static void test_stopped_replication_of_an_imported_set_is_restarted(void **state)
{
        Record record = imported(A);

        record.imported.restart_due = true;
        assert_int_equal(plan_stopped(record, A, 500, 100).action, PLAN_RESTART_REPLICATION);
        assert_int_equal(plan_stopped(record, A, 100, 500).action, PLAN_RESTART_REPLICATION);
        assert_int_equal(plan_stopped(record, A, 500, 400).not_before_usec, 400);
        assert_int_equal(plan_stopped(record, NULL, 0, 100).action, PLAN_START_REPLICATION);
}

static void test_a_start_has_its_own_back_off(void **state)
{
        static const struct {
                uint64_t retry_usec, start_usec, not_before_usec;
        } cases[] = {{500, 400, 400}, {400, 500, 400}, {500, 500, 500}};
        Record held = failed(B, OUTCOME_REJECTED);
        Plan found = plan_stopped(RECORD_NULL, NULL, 0, 101);

        assert_int_equal(found.action, PLAN_DELAY);
        assert_int_equal(found.not_before_usec, 101);
        assert_int_equal(plan_state(&found, &held), CLUSTER_RETRYING);
        found = plan_stopped(imported(A), A, 0, 101);
        assert_int_equal(found.action, PLAN_DELAY);
        assert_int_equal(plan_state(&found, &held), CLUSTER_RETRYING);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                found = plan_stopped(held, B, cases[i].retry_usec, cases[i].start_usec);
                assert_int_equal(found.action, PLAN_DELAY);
                assert_int_equal(found.not_before_usec, cases[i].not_before_usec);
                assert_int_equal(plan_state(&found, &held), CLUSTER_HELD);
        }
}

static void test_replication_of_a_disabled_cluster_is_not_started(void **state)
{
        Record record = {.stop = stop};
        PlanInput input = {.enabled = false, .fingerprint = A, .record = &record};

        assert_int_equal(plan_cluster(&input, 100).action, PLAN_NOTHING);
}

static void test_a_current_cluster_is_checked_when_the_check_is_due(void **state)
{
        Record has_a = imported(A);
        PlanInput input = {.enabled = true, .fingerprint = A, .record = &has_a, .checks = true};
        Plan kept;

        input.check_usec = 101;
        kept = plan_cluster(&input, 100);
        assert_int_equal(kept.action, PLAN_KEEP);
        assert_int_equal(kept.not_before_usec, 101);
        assert_int_equal(plan_cluster(&input, 101).action, PLAN_CHECK);
        input.fingerprint = B;
        assert_int_equal(plan_cluster(&input, 101).action, PLAN_IMPORT);
        input.fingerprint = A;
        input.checks = false;
        kept = plan_cluster(&input, 101);
        assert_int_equal(kept.action, PLAN_KEEP);
        assert_int_equal(kept.not_before_usec, 0);
}

static void test_a_current_cluster_whose_replication_fails_with_tls_is_healed(void **state)
{
        Record has_a = imported(A), restarting = has_a, stopped = has_a;
        PlanInput input = {.enabled = true,
                .fingerprint = A,
                .record = &has_a,
                .fails_with_tls = true,
                .since_heal_usec = USEC_NEVER};
        Plan found = plan_cluster(&input, 100);

        assert_int_equal(found.action, PLAN_HEAL);
        assert_int_equal(plan_state(&found, &has_a), CLUSTER_IMPORTING);
        input.checks = true; /* which may find that it runs again */
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_CHECK);
        input.checks = false;
        input.stuck = true;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_KEEP);
        input.stuck = false;
        input.forced = true;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
        input.forced = false;
        input.fingerprint = B; /* a new set is imported instead */
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
        input.held_back = true; /* and that is not for this cluster yet */
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_KEEP);
        input.held_back = false;
        input.fingerprint = NULL; /* nothing can be sent */
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_WAIT);
        input.fingerprint = A;
        restarting.imported.restart_due = true;
        input.record = &restarting;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_RESTART_REPLICATION);
        stopped.stop = stop;
        input.record = &stopped; /* the heal ends with a start */
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_HEAL);
}

static void test_a_cluster_is_healed_once_in_15_minutes(void **state)
{
        Record has_a = imported(A);
        PlanInput input = {.enabled = true,
                .fingerprint = A,
                .record = &has_a,
                .fails_with_tls = true,
                .since_heal_usec = 15 * USEC_PER_MIN - 1};

        assert_int_equal(plan_cluster(&input, 100).action, PLAN_KEEP);
        input.since_heal_usec++;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_HEAL);
        input.fails_with_tls = false;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_KEEP);
        assert_int_equal(plan_since_usec(70, 100), 30);
        assert_int_equal(plan_since_usec(100, 100), 0);
        assert_true(plan_since_usec(0, 100) == USEC_NEVER);
        assert_true(plan_since_usec(101, 100) == USEC_NEVER); /* the clock was set back */
}

/* A was imported and replication ran; B was imported after it, and replication fails. */
static Record unproven(OutcomeKind kind)
{
        Record record = imported(B);

        strcpy(record.imported.former_fingerprint, A);
        record.attempt.outcome.kind = kind;
        record.imported.restart_due = kind == OUTCOME_REPLICATION_FAILED;
        return record;
}

static const PlanInput failing = {.enabled = true,
        .fingerprint = B,
        .retry_usec = 500,
        .denied = true,
        .can_roll_back = true};

static PlanAction act(PlanInput input, const Record *record)
{
        input.record = record;
        return plan_cluster(&input, 100).action;
}

static void test_a_set_with_which_replication_fails_is_taken_back(void **state)
{
        Record restarted = unproven(OUTCOME_REPLICATION_FAILED),
               checked = unproven(OUTCOME_IMPORTED), proven = restarted, stopped = restarted;
        PlanInput input = failing;
        Plan found;

        proven.imported.former_fingerprint[0] = '\0';
        stopped.stop = stop;
        assert_int_equal(act(input, &restarted), PLAN_ROLL_BACK);
        assert_int_equal(act(input, &checked), PLAN_ROLL_BACK);
        assert_int_equal(act(input, &stopped), PLAN_ROLL_BACK);
        assert_int_equal(act(input, &proven), PLAN_DELAY);
        input.fingerprint = NULL; /* the files on disk do not matter for the former set */
        assert_int_equal(act(input, &restarted), PLAN_ROLL_BACK);
        found = (Plan){.action = PLAN_ROLL_BACK};
        assert_int_equal(plan_state(&found, &restarted), CLUSTER_IMPORTING);
        assert_true(plan_starts(PLAN_ROLL_BACK));
        input = failing;
        input.can_roll_back = false; /* not configured, or after a start of the daemon */
        assert_int_equal(act(input, &restarted), PLAN_DELAY);
        input = failing;
        input.denied = false; /* the network, or an error of the SQL thread */
        assert_int_equal(act(input, &restarted), PLAN_DELAY);
        input = failing;
        input.enabled = false;
        assert_int_equal(act(input, &restarted), PLAN_NOTHING);
        input = failing;
        input.stuck = true;
        assert_int_equal(act(input, &restarted), PLAN_DELAY);
}

static void test_another_set_on_disk_comes_before_a_roll_back(void **state)
{
        Record record = unproven(OUTCOME_REPLICATION_FAILED), refused = record;
        PlanInput input = failing;

        input.fingerprint = C;
        assert_int_equal(act(input, &record), PLAN_IMPORT);
        strcpy(refused.attempt.fingerprint, C);
        refused.attempt.outcome.kind = OUTCOME_REJECTED;
        assert_int_equal(act(input, &refused), PLAN_ROLL_BACK); /* C cannot help */
        input = failing;
        input.forced = true;
        assert_int_equal(act(input, &record), PLAN_IMPORT);
}

static void test_a_heal_comes_before_a_roll_back_if_a_check_has_found_the_error(void **state)
{
        Record checked = unproven(OUTCOME_IMPORTED),
               restarted = unproven(OUTCOME_REPLICATION_FAILED);
        PlanInput input = failing;

        input.fails_with_tls = true;
        input.since_heal_usec = USEC_NEVER;
        assert_int_equal(act(input, &checked), PLAN_HEAL);
        assert_int_equal(act(input, &restarted), PLAN_ROLL_BACK);
        input.since_heal_usec = 3 * USEC_PER_MIN; /* it did not help */
        assert_int_equal(act(input, &checked), PLAN_ROLL_BACK);
        input.fingerprint = NULL; /* it is not possible */
        input.since_heal_usec = USEC_NEVER;
        assert_int_equal(act(input, &checked), PLAN_ROLL_BACK);
}

static void test_a_roll_back_that_cannot_be_recorded_is_retried_with_back_off(void **state)
{
        Record record = unproven(OUTCOME_RECORD_FAILED);
        PlanInput input = failing;
        Plan found;

        input.record = &record;
        found = plan_cluster(&input, 499);
        assert_int_equal(found.action, PLAN_DELAY);
        assert_int_equal(found.not_before_usec, 500);
        assert_int_equal(plan_state(&found, &record), CLUSTER_RETRYING);
        assert_int_equal(plan_cluster(&input, 500).action, PLAN_ROLL_BACK);
}

static void test_a_set_that_was_taken_back_is_held_until_an_operator_asks_for_it(void **state)
{
        Record record = imported(A), failed_too;
        PlanInput input = {.enabled = true, .fingerprint = B, .record = &record};
        Plan found;

        strcpy(record.attempt.fingerprint, B);
        record.attempt.outcome.kind = OUTCOME_ROLLED_BACK;
        found = plan_cluster(&input, UINT64_MAX - 1); /* no back-off ends it */
        assert_int_equal(found.action, PLAN_KEEP);
        assert_int_equal(found.not_before_usec, 0);
        assert_int_equal(plan_state(&found, &record), CLUSTER_HELD);
        input.lifted = true;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
        input.lifted = false;
        input.fingerprint = C;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
        input.fingerprint = A; /* what it has */
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_KEEP);
        assert_false(plan_cluster(&input, 100).held);

        failed_too = record; /* the former set could not be imported */
        strcpy(failed_too.imported.fingerprint, B);
        input.record = &failed_too;
        input.fingerprint = B;
        assert_true(plan_cluster(&input, 100).held);
        input.lifted = true;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
}

static void test_a_cluster_that_was_rolled_back_is_checked(void **state)
{
        Record record = imported(A);
        PlanInput input = {.enabled = true,
                .fingerprint = B,
                .record = &record,
                .checks = true,
                .check_usec = 200};
        Plan found;

        strcpy(record.attempt.fingerprint, B);
        record.attempt.outcome.kind = OUTCOME_ROLLED_BACK;
        assert_int_equal(plan_cluster(&input, 100).not_before_usec, 200);
        found = plan_cluster(&input, 200);
        assert_int_equal(found.action, PLAN_CHECK);
        assert_int_equal(plan_state(&found, &record), CLUSTER_HELD);
        input.stuck = true;
        found = plan_cluster(&input, 200);
        assert_int_equal(found.action, PLAN_KEEP);
        assert_int_equal(plan_state(&found, &record), CLUSTER_HELD);
        input.stuck = false;
        record.stop = stop; /* of the roll back */
        input.start_usec = 300;
        found = plan_cluster(&input, 200);
        assert_int_equal(found.not_before_usec, 300);
        assert_int_equal(plan_state(&found, &record), CLUSTER_HELD);
        assert_int_equal(plan_cluster(&input, 300).action, PLAN_START_REPLICATION);
}

static void test_a_requested_removal_comes_before_all_but_a_running_process(void **state)
{
        Record none = RECORD_NULL;
        PlanInput input = {.removal = true, .record = &none};
        Plan found = plan_cluster(&input, 100);

        assert_int_equal(found.action, PLAN_REMOVE);
        assert_int_equal(plan_state(&found, &none), CLUSTER_DISABLED);
        input.enabled = true; /* by a reload after the request */
        input.fingerprint = A;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_REMOVE);
        input.importing = true;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_RUNS);
        input = (PlanInput){.removal = true, .stuck = true, .record = &none};
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_NOTHING);
}

static void test_without_a_set_or_disabled_nothing_starts(void **state)
{
        Record record = RECORD_NULL;
        PlanInput input = {.enabled = false, .fingerprint = A, .record = &record};

        assert_int_equal(plan(&record, NULL, 0).action, PLAN_WAIT);
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_NOTHING);
}

static void test_a_failed_set_waits_and_a_new_one_does_not(void **state)
{
        Record record = failed(A, OUTCOME_UNREACHABLE);
        Plan delayed = plan(&record, A, 500);

        assert_int_equal(delayed.action, PLAN_DELAY);
        assert_int_equal(delayed.not_before_usec, 500);
        assert_int_equal(plan(&record, A, 100).action, PLAN_IMPORT);
        assert_int_equal(plan(&record, B, 500).action, PLAN_IMPORT);
}

static void test_a_failed_restart_does_not_send_the_key_again(void **state)
{
        Record record = RECORD_NULL;
        Outcome outcome = {.kind = OUTCOME_REPLICATION_FAILED,
                .effect = {.committed = true, .restart_due = true}};
        SetInfo set = {.fingerprint = A};

        record_apply(&record, &set, &outcome, 1000);
        assert_int_equal(plan(&record, A, 0).action, PLAN_RESTART_REPLICATION);
        assert_int_equal(plan(&record, A, 500).action, PLAN_DELAY);
        /* Also after another failure: it is due until it has succeeded. */
        outcome = (Outcome){.kind = OUTCOME_UNREACHABLE};
        record_apply(&record, &set, &outcome, 2000);
        assert_int_equal(plan(&record, A, 0).action, PLAN_RESTART_REPLICATION);
        outcome = (Outcome){.kind = OUTCOME_IMPORTED, .effect.replication_restarted = true};
        record_apply(&record, &set, &outcome, 3000);
        assert_int_equal(plan(&record, A, 0).action, PLAN_KEEP);
}

static void test_a_forced_set_is_imported_whatever_the_record_names(void **state)
{
        Record record = imported(A), bad = failed(B, OUTCOME_NO_PRIVILEGE);
        PlanInput input = {.enabled = true, .fingerprint = A, .record = &record, .forced = true};

        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
        input = (PlanInput){.enabled = true,
                .fingerprint = B,
                .record = &bad,
                .retry_usec = 500,
                .forced = true};
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
        input.fingerprint = NULL;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_WAIT);
        input.enabled = false;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_NOTHING);
}

static void test_a_plan_has_one_state(void **state)
{
        static const struct {
                PlanAction action;
                OutcomeKind kind; /* of the last attempt */
                unsigned sql_errno;
                ClusterState state;
        } cases[] = {
                {PLAN_NOTHING, OUTCOME_NO_PRIVILEGE, 0, CLUSTER_DISABLED},
                {PLAN_WAIT, OUTCOME_NO_PRIVILEGE, 0, CLUSTER_WAITING},
                {PLAN_KEEP, OUTCOME_IMPORTED, 0, CLUSTER_CURRENT},
                {PLAN_CHECK, OUTCOME_IMPORTED, 0, CLUSTER_CURRENT},
                {PLAN_IMPORT, OUTCOME_NO_PRIVILEGE, 0, CLUSTER_IMPORTING},
                {PLAN_RESTART_REPLICATION, OUTCOME_REPLICATION_FAILED, 0, CLUSTER_IMPORTING},
                {PLAN_HEAL, OUTCOME_IMPORTED, 0, CLUSTER_IMPORTING},
                {PLAN_DELAY, OUTCOME_UNREACHABLE, 0, CLUSTER_RETRYING},
                {PLAN_DELAY, OUTCOME_REJECTED, 1213, CLUSTER_RETRYING},
                {PLAN_DELAY, OUTCOME_REJECTED, 1064, CLUSTER_HELD},
                {PLAN_DELAY, OUTCOME_NO_PRIVILEGE, 0, CLUSTER_HELD},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Plan plan = {.action = cases[i].action};
                Record record = failed(A, cases[i].kind);

                record.attempt.outcome.sql_errno = cases[i].sql_errno;
                assert_int_equal(plan_state(&plan, &record), cases[i].state);
        }
}

static uint64_t delay_usec(
        const PlanRetry *retry, OutcomeKind kind, unsigned failures, uint32_t random)
{
        Outcome outcome = {.kind = kind};

        return plan_retry_delay_usec(retry, &outcome, failures, random);
}

static void test_a_set_that_is_held_back_is_not_imported(void **state)
{
        Record has_a = imported(A), none = RECORD_NULL;
        PlanInput input = {.enabled = true,
                .fingerprint = B,
                .record = &has_a,
                .held_back = true,
                .forced = true,
                .checks = true,
                .check_usec = 101};
        Plan found = plan_cluster(&input, 100);

        assert_int_equal(found.action, PLAN_KEEP);
        assert_int_equal(found.not_before_usec, 101);
        assert_int_equal(plan_state(&found, &has_a), CLUSTER_WAITING);
        found = plan_cluster(&input, 101);
        assert_int_equal(found.action, PLAN_CHECK);
        assert_int_equal(plan_state(&found, &has_a), CLUSTER_WAITING);
        input.stuck = true;
        found = plan_cluster(&input, 101);
        assert_int_equal(found.action, PLAN_KEEP);
        assert_int_equal(plan_state(&found, &has_a), CLUSTER_WAITING);
        input.stuck = false;
        input.record = &none;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_KEEP);
        none.stop = stop;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_START_REPLICATION);
        input.enabled = false;
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_NOTHING);
}

static void test_transient_errors_back_off_and_others_are_held(void **state)
{
        PlanRetry retry = {.min_usec = 100, .max_usec = 1000, .held_usec = 77777};
        Outcome deadlock = {.kind = OUTCOME_REJECTED, .sql_errno = 1213};

        assert_int_equal(delay_usec(&retry, OUTCOME_UNREACHABLE, 1, 0), 100);
        assert_int_equal(delay_usec(&retry, OUTCOME_UNKNOWN, 3, 0), 400);
        assert_int_equal(delay_usec(&retry, OUTCOME_TLS, 1000000, 0), 1000);
        assert_true(delay_usec(&retry, OUTCOME_TLS, 9, UINT32_MAX) > 500);
        assert_int_equal(delay_usec(&retry, OUTCOME_NO_PRIVILEGE, 1, 5), 77777);
        assert_true(delay_usec(&retry, OUTCOME_ROLLED_BACK, 1, 5) == USEC_NEVER);
        assert_int_equal(delay_usec(&retry, OUTCOME_IMPORTED, 0, 5), 0);
        assert_int_equal(delay_usec(&retry, OUTCOME_REJECTED, 1, 0), 77777);
        assert_int_equal(plan_retry_delay_usec(&retry, &deadlock, 1, 0), 100);
}

static void test_a_set_that_the_source_refused_is_not_tried_by_itself(void **state)
{
        PlanRetry retry = {.min_usec = 100, .max_usec = 1000, .held_usec = 77777};
        Record record = failed(A, OUTCOME_SOURCE_REFUSED);
        PlanInput input = {.enabled = true, .fingerprint = A, .record = &record};
        Plan plan = plan_cluster(&input, USEC_NEVER - 1);

        assert_true(delay_usec(&retry, OUTCOME_SOURCE_REFUSED, 1, 0) == USEC_NEVER);
        assert_int_equal(plan.action, PLAN_KEEP); /* also after a reload, or a start */
        assert_int_equal(plan_state(&plan, &record), CLUSTER_HELD);
        input.checks = true;
        assert_int_equal(plan_cluster(&input, 1).action, PLAN_CHECK);
        input.fingerprint = B;
        assert_int_equal(plan_cluster(&input, 1).action, PLAN_IMPORT);
        input.fingerprint = A;
        input.lifted = true;
        assert_int_equal(plan_cluster(&input, 1).action, PLAN_IMPORT);
}

static void test_attempts_count_failures_in_a_row_with_one_set(void **state)
{
        Record record = failed(A, OUTCOME_UNREACHABLE);
        Outcome outcome = {.kind = OUTCOME_TLS};

        record_apply(&record, &(SetInfo){.fingerprint = A}, &outcome, 2000);
        assert_int_equal(record.attempt.failures, 2);
        record_apply(&record, &(SetInfo){.fingerprint = B}, &outcome, 3000);
        assert_int_equal(record.attempt.failures, 1);
        assert_string_equal(record.imported.fingerprint, "");
}

static void test_a_set_in_doubt_is_no_longer_known_as_imported(void **state)
{
        Record record = imported(A);
        Outcome lost = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true},
                down = {.kind = OUTCOME_UNREACHABLE};
        PlanInput input = {.enabled = true, .fingerprint = A, .record = &record};

        /* The set that may have been imported is the same: no doubt. */
        record_apply(&record, &(SetInfo){.fingerprint = A}, &lost, 2000);
        assert_string_equal(record.imported.fingerprint, A);
        record_apply(&record, &(SetInfo){.fingerprint = B}, &lost, 3000);
        assert_string_equal(record.imported.fingerprint, "");
        assert_int_equal(record.imported.at_usec, 0);
        assert_false(record.imported.in_use);
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
        record_apply(&record, &(SetInfo){.fingerprint = B}, &down, 4000);
        assert_int_equal(plan_cluster(&input, 100).action, PLAN_IMPORT);
}

static void test_checks_are_spread_over_a_fifth_of_their_interval(void **state)
{
        uint64_t least = UINT64_MAX, most = 0;

        for (uint32_t random = 0; random < 1000; random++) {
                uint64_t delay = plan_check_delay_usec(1000, random);

                least = delay < least ? delay : least;
                most = delay > most ? delay : most;
        }
        assert_int_equal(least, 900);
        assert_int_equal(most, 1099);
        assert_int_equal(plan_check_delay_usec(4, UINT32_MAX), 4);
        assert_int_equal(plan_check_delay_usec(0, UINT32_MAX), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_new_set_is_imported_and_the_same_is_kept),
                cmocka_unit_test(test_an_import_that_runs_comes_before_everything_else),
                cmocka_unit_test(test_stopped_replication_is_started_without_an_import),
                cmocka_unit_test(test_stopped_replication_of_an_imported_set_is_restarted),
                cmocka_unit_test(test_a_start_has_its_own_back_off),
                cmocka_unit_test(test_replication_of_a_disabled_cluster_is_not_started),
                cmocka_unit_test(test_a_current_cluster_is_checked_when_the_check_is_due),
                cmocka_unit_test(test_a_current_cluster_whose_replication_fails_with_tls_is_healed),
                cmocka_unit_test(test_a_cluster_is_healed_once_in_15_minutes),
                cmocka_unit_test(test_a_set_with_which_replication_fails_is_taken_back),
                cmocka_unit_test(test_another_set_on_disk_comes_before_a_roll_back),
                cmocka_unit_test(
                        test_a_heal_comes_before_a_roll_back_if_a_check_has_found_the_error),
                cmocka_unit_test(test_a_roll_back_that_cannot_be_recorded_is_retried_with_back_off),
                cmocka_unit_test(
                        test_a_set_that_was_taken_back_is_held_until_an_operator_asks_for_it),
                cmocka_unit_test(test_a_cluster_that_was_rolled_back_is_checked),
                cmocka_unit_test(test_a_requested_removal_comes_before_all_but_a_running_process),
                cmocka_unit_test(test_without_a_set_or_disabled_nothing_starts),
                cmocka_unit_test(test_a_failed_set_waits_and_a_new_one_does_not),
                cmocka_unit_test(test_a_failed_restart_does_not_send_the_key_again),
                cmocka_unit_test(test_a_forced_set_is_imported_whatever_the_record_names),
                cmocka_unit_test(test_a_plan_has_one_state),
                cmocka_unit_test(test_a_set_that_is_held_back_is_not_imported),
                cmocka_unit_test(test_transient_errors_back_off_and_others_are_held),
                cmocka_unit_test(test_a_set_that_the_source_refused_is_not_tried_by_itself),
                cmocka_unit_test(test_attempts_count_failures_in_a_row_with_one_set),
                cmocka_unit_test(test_a_set_in_doubt_is_no_longer_known_as_imported),
                cmocka_unit_test(test_checks_are_spread_over_a_fifth_of_their_interval),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
