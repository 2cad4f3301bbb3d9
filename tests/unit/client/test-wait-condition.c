#include "tests/unit/test.h"

#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "ctl/client/wait-condition.h"

#define SECOND   UINT64_C(1000000)
#define START    (1000 * SECOND)
#define DEADLINE (START + 300 * SECOND)
#define GRACE    WAIT_CONDITION_GRACE_USEC
#define POLL     WAIT_CONDITION_GRACE_POLL_USEC
#define LASTING  WAIT_CONDITION_LASTING_USEC

/* A valid material long before the start, and a cluster that is current with its set. With the
 * digest of its certificate the answer is yes at once. */
typedef struct Fixture {
        MaterialInfo materials[2];
        ClusterInfo clusters[2];
        StatusInfo info;
        WaitTarget target;
        uint64_t now_usec;
        uint64_t step_usec; /* of the wall clock, which has shown the boot time before */
} Fixture;

static void make_material(MaterialInfo *material, const char *name, const char *digest)
{
        *material = (MaterialInfo){
                .state = MATERIAL_STATE_VALID,
                .fingerprint = "aaaa",
                .watch = "inotify",
                .since_usec = START - 100 * SECOND,
                .last_change_usec = START - 100 * SECOND,
        };
        text_set(material->name, sizeof(material->name), name);
        text_set(material->certificate.sha256, sizeof(material->certificate.sha256), digest);
}

static void make_cluster(ClusterInfo *cluster, const char *name, const char *material)
{
        *cluster = (ClusterInfo){.state = CLUSTER_CURRENT, .imported = "aaaa"};
        text_set(cluster->name, sizeof(cluster->name), name);
        text_set(cluster->material, sizeof(cluster->material), material);
}

/* The second material and cluster count only if a test raises the numbers. */
static void make(Fixture *fixture)
{
        *fixture = (Fixture){
                .target = {.digest = "1111", .start_usec = START, .deadline_usec = DEADLINE},
                .now_usec = START,
        };
        make_material(&fixture->materials[0], "default", "1111");
        make_material(&fixture->materials[1], "second", "2222");
        make_cluster(&fixture->clusters[0], "orders", "default");
        make_cluster(&fixture->clusters[1], "users", "second");
        fixture->info = (StatusInfo){.materials = fixture->materials,
                .n_materials = 1,
                .clusters = fixture->clusters,
                .n_clusters = 1};
}

static WaitResult evaluate(const Fixture *fixture)
{
        return wait_condition_evaluate(&fixture->target, &fixture->info, fixture->now_usec,
                fixture->now_usec + fixture->step_usec);
}

static WaitAnswer answer(const Fixture *fixture)
{
        return evaluate(fixture).answer;
}

static void test_current_clusters_and_a_good_material_are_yes(void **state)
{
        Fixture fixture;
        WaitResult result;

        make(&fixture);
        result = evaluate(&fixture);
        assert_int_equal(result.answer, WAIT_YES);
        assert_int_equal(result.n_concerned, 1);
        assert_int_equal(result.n_current, 1);
        assert_null(result.importing);
}

static void test_an_expiring_material_is_yes(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.materials[0].state = MATERIAL_STATE_EXPIRING;
        assert_int_equal(answer(&fixture), WAIT_YES);
}

static void test_no_enabled_cluster_is_yes(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.clusters[0].state = CLUSTER_DISABLED;
        assert_int_equal(answer(&fixture), WAIT_YES);
        assert_int_equal(evaluate(&fixture).n_concerned, 0);
}

static void test_a_cluster_that_can_become_current_is_not_yet(void **state)
{
        static const ClusterState states[] = {
                CLUSTER_WAITING, CLUSTER_IMPORTING, CLUSTER_RETRYING, _CLUSTER_STATE_MAX};

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                Fixture fixture;
                WaitResult result;

                make(&fixture);
                fixture.clusters[0].state = states[i];
                fixture.now_usec = DEADLINE;
                result = evaluate(&fixture);
                assert_int_equal(result.answer, WAIT_NOT_YET);
                assert_int_equal(result.n_concerned, 1);
                assert_int_equal(result.n_current, 0);
        }
}

static void test_the_cluster_with_a_running_import_is_named(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.clusters[0].state = CLUSTER_IMPORTING;
        assert_string_equal(evaluate(&fixture).importing, "orders");
}

static void test_a_cluster_that_is_current_with_another_set_is_not_yet(void **state)
{
        Fixture fixture;

        make(&fixture);
        strcpy(fixture.clusters[0].imported, "bbbb");
        fixture.now_usec = DEADLINE;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
}

static void test_a_material_that_is_being_written_or_unknown_is_not_yet(void **state)
{
        static const MaterialState states[] = {MATERIAL_STATE_CHANGING, _MATERIAL_STATE_MAX};

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                Fixture fixture;

                make(&fixture);
                fixture.materials[0].state = states[i];
                fixture.now_usec = DEADLINE;
                assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        }
}

/* The states that do not become good by themselves; not_yet_valid from after the deadline. */
static const MaterialState bad_states[] = {MATERIAL_STATE_MISSING, MATERIAL_STATE_INVALID,
        MATERIAL_STATE_EXPIRED, MATERIAL_STATE_NOT_YET_VALID};

static void make_bad(Fixture *fixture, MaterialState bad)
{
        make(fixture);
        fixture->materials[0].state = bad;
        fixture->materials[0].certificate.not_before_usec = DEADLINE;
}

static void test_a_bad_material_is_no_when_its_grace_is_over(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(bad_states); i++) {
                Fixture fixture;

                make_bad(&fixture, bad_states[i]);
                assert_int_equal(answer(&fixture), WAIT_NOT_YET);
                fixture.now_usec = START + GRACE - 1;
                assert_int_equal(answer(&fixture), WAIT_NOT_YET);
                fixture.now_usec = START + GRACE;
                assert_int_equal(answer(&fixture), WAIT_NO);
        }
}

static void test_the_grace_is_longer_for_a_path_that_is_polled(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(bad_states); i++) {
                Fixture fixture;

                make_bad(&fixture, bad_states[i]);
                strcpy(fixture.materials[0].watch, "poll: /nfs cannot be watched");
                fixture.now_usec = START + POLL - 1;
                assert_int_equal(answer(&fixture), WAIT_NOT_YET);
                fixture.now_usec = START + POLL;
                assert_int_equal(answer(&fixture), WAIT_NO);
        }
}

static void test_a_bad_state_must_last(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(bad_states); i++) {
                Fixture fixture;

                make_bad(&fixture, bad_states[i]);
                fixture.now_usec = START + GRACE + 100 * SECOND;
                fixture.materials[0].since_usec = fixture.now_usec - LASTING + 1;
                assert_int_equal(answer(&fixture), WAIT_NOT_YET);
                fixture.materials[0].since_usec = fixture.now_usec - LASTING;
                assert_int_equal(answer(&fixture), WAIT_NO);
        }
}

static void test_a_set_that_becomes_valid_before_the_deadline_is_not_yet(void **state)
{
        Fixture fixture;

        make_bad(&fixture, MATERIAL_STATE_NOT_YET_VALID);
        fixture.now_usec = START + GRACE;
        fixture.materials[0].certificate.not_before_usec = DEADLINE - 1;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
}

static void test_a_step_of_the_wall_clock_ends_no_grace_and_delays_no_answer(void **state)
{
        static const uint64_t steps[] = {24 * 3600 * SECOND, -24 * 3600 * SECOND};

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                Fixture fixture;

                make_bad(&fixture, MATERIAL_STATE_INVALID);
                fixture.step_usec = steps[i];
                fixture.now_usec = START + GRACE - 1;
                assert_int_equal(answer(&fixture), WAIT_NOT_YET);
                fixture.now_usec++;
                assert_int_equal(answer(&fixture), WAIT_NO);
                make_bad(&fixture, MATERIAL_STATE_NOT_YET_VALID);
                fixture.step_usec = steps[i];
                fixture.now_usec = START + GRACE;
                fixture.materials[0].certificate.not_before_usec = DEADLINE + steps[i];
                assert_int_equal(answer(&fixture), WAIT_NO);
                fixture.materials[0].certificate.not_before_usec--;
                assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        }
}

/* A held cluster when the grace is over and its set has been on disk for long. */
static void make_held(Fixture *fixture)
{
        make(fixture);
        fixture->clusters[0].state = CLUSTER_HELD;
        fixture->now_usec = START + GRACE;
}

static void test_a_held_cluster_is_no_when_its_grace_is_over(void **state)
{
        Fixture fixture;

        make_held(&fixture);
        assert_int_equal(answer(&fixture), WAIT_NO);
        fixture.now_usec--;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
}

static void test_a_held_cluster_has_the_longer_grace_of_a_polled_path(void **state)
{
        Fixture fixture;

        make_held(&fixture);
        strcpy(fixture.materials[0].watch, "poll: /nfs cannot be watched");
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.now_usec = START + POLL;
        assert_int_equal(answer(&fixture), WAIT_NO);
}

static void test_a_held_cluster_of_a_set_that_has_just_changed_is_not_yet(void **state)
{
        Fixture fixture;

        make_held(&fixture);
        fixture.materials[0].last_change_usec = fixture.now_usec - LASTING + 1;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.materials[0].last_change_usec--;
        assert_int_equal(answer(&fixture), WAIT_NO);
}

static void test_a_cluster_whose_canary_has_failed_is_as_one_that_is_held(void **state)
{
        Fixture fixture;

        make_held(&fixture);
        fixture.clusters[0].state = CLUSTER_WAITING;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.materials[0].rollout.state = WAVE_STOPPED;
        assert_int_equal(answer(&fixture), WAIT_NO);
        fixture.materials[0].last_change_usec = fixture.now_usec;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.clusters[0].changed = true;
        assert_int_equal(answer(&fixture), WAIT_NO);
}

static void test_a_cluster_that_becomes_held_by_an_event_is_no_at_once(void **state)
{
        Fixture fixture;

        make_held(&fixture);
        fixture.now_usec = START;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.clusters[0].changed = true;
        assert_int_equal(answer(&fixture), WAIT_NO);
}

static void test_a_held_cluster_of_no_known_material_does_not_count(void **state)
{
        Fixture fixture;

        make_held(&fixture);
        strcpy(fixture.clusters[0].material, "removed");
        assert_int_equal(answer(&fixture), WAIT_YES);
        assert_int_equal(evaluate(&fixture).n_concerned, 0);
}

static void test_with_a_digest_other_materials_and_their_clusters_do_not_count(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.info.n_materials = fixture.info.n_clusters = 2;
        fixture.materials[1].state = MATERIAL_STATE_EXPIRED;
        fixture.clusters[1].state = CLUSTER_HELD;
        fixture.now_usec = START + GRACE;
        assert_int_equal(answer(&fixture), WAIT_YES);
        assert_int_equal(evaluate(&fixture).n_concerned, 1);
        strcpy(fixture.materials[1].certificate.sha256, "1111");
        assert_int_equal(answer(&fixture), WAIT_NO);
        assert_int_equal(evaluate(&fixture).n_concerned, 2);
}

static void test_a_digest_that_no_material_has_is_not_yet_while_one_is_good(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.info.n_materials = 2;
        strcpy(fixture.target.digest, "3333");
        fixture.now_usec = DEADLINE;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.materials[0].state = MATERIAL_STATE_EXPIRED;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.materials[1].state = MATERIAL_STATE_EXPIRED;
        assert_int_equal(answer(&fixture), WAIT_NO);
}

static void test_without_materials_nothing_is_decided(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.info.n_materials = 0;
        fixture.now_usec = DEADLINE;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
}

static void test_without_a_digest_the_state_must_be_steady(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.target.digest[0] = '\0';
        fixture.now_usec = START + WAIT_CONDITION_STEADY_USEC - 1;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.now_usec++;
        assert_int_equal(answer(&fixture), WAIT_YES);
}

static void test_without_a_digest_a_change_makes_the_wait_unnecessary(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.target.digest[0] = '\0';
        fixture.materials[0].changed = true;
        assert_int_equal(answer(&fixture), WAIT_YES);
        fixture.materials[0].changed = false;
        fixture.clusters[0].changed = true;
        assert_int_equal(answer(&fixture), WAIT_YES);
}

static void test_without_a_digest_every_material_and_cluster_counts(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.target.digest[0] = '\0';
        fixture.info.n_materials = fixture.info.n_clusters = 2;
        fixture.now_usec = START + GRACE;
        assert_int_equal(answer(&fixture), WAIT_YES);
        assert_int_equal(evaluate(&fixture).n_concerned, 2);
        fixture.materials[1].state = MATERIAL_STATE_EXPIRED;
        assert_int_equal(answer(&fixture), WAIT_NO);
}

static void test_one_late_cluster_is_not_yet_and_one_held_is_no(void **state)
{
        Fixture fixture;
        WaitResult result;

        make_held(&fixture);
        fixture.info.n_clusters = 2;
        strcpy(fixture.clusters[1].material, "default");
        fixture.clusters[0].state = CLUSTER_RETRYING;
        result = evaluate(&fixture);
        assert_int_equal(result.answer, WAIT_NOT_YET);
        assert_int_equal(result.n_concerned, 2);
        assert_int_equal(result.n_current, 1);
        fixture.clusters[0].state = CLUSTER_HELD;
        assert_int_equal(answer(&fixture), WAIT_NO);
}

static void test_replication_that_fails_after_the_import_is_no(void **state)
{
        Fixture fixture;
        WaitResult result;

        make(&fixture);
        fixture.clusters[0].imported_at_usec = START;
        fixture.clusters[0].replication = (Replication){.known = true,
                .configured = true,
                .io_running = "Connecting",
                .sql_running = "Yes",
                .io_errno = 2026};
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.now_usec = START + REPLICATION_RECONNECT_USEC - 1;
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        fixture.now_usec++;
        result = evaluate(&fixture);
        assert_int_equal(result.answer, WAIT_NO);
        assert_int_equal(result.n_failing, 1);
        assert_int_equal(result.n_current, 1);
        fixture.clusters[0].replication.io_errno = 0; /* it connects */
        assert_int_equal(answer(&fixture), WAIT_YES);
        fixture.clusters[0].replication.io_errno = 2026;
        fixture.target.ignores_replication = true;
        assert_int_equal(answer(&fixture), WAIT_YES);
}

static void test_replication_of_a_cluster_that_is_not_current_is_no_answer(void **state)
{
        Fixture fixture;

        make(&fixture);
        fixture.now_usec = START + REPLICATION_RECONNECT_USEC;
        fixture.clusters[0].state = CLUSTER_IMPORTING;
        fixture.clusters[0].replication = (Replication){.known = true,
                .configured = true,
                .io_running = "Yes",
                .sql_running = "No",
                .sql_errno = 1062};
        assert_int_equal(answer(&fixture), WAIT_NOT_YET);
        assert_int_equal(evaluate(&fixture).n_failing, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_current_clusters_and_a_good_material_are_yes),
                cmocka_unit_test(test_an_expiring_material_is_yes),
                cmocka_unit_test(test_no_enabled_cluster_is_yes),
                cmocka_unit_test(test_a_cluster_that_can_become_current_is_not_yet),
                cmocka_unit_test(test_the_cluster_with_a_running_import_is_named),
                cmocka_unit_test(test_a_cluster_that_is_current_with_another_set_is_not_yet),
                cmocka_unit_test(test_a_material_that_is_being_written_or_unknown_is_not_yet),
                cmocka_unit_test(test_a_bad_material_is_no_when_its_grace_is_over),
                cmocka_unit_test(test_the_grace_is_longer_for_a_path_that_is_polled),
                cmocka_unit_test(test_a_bad_state_must_last),
                cmocka_unit_test(test_a_set_that_becomes_valid_before_the_deadline_is_not_yet),
                cmocka_unit_test(test_a_step_of_the_wall_clock_ends_no_grace_and_delays_no_answer),
                cmocka_unit_test(test_a_held_cluster_is_no_when_its_grace_is_over),
                cmocka_unit_test(test_a_held_cluster_has_the_longer_grace_of_a_polled_path),
                cmocka_unit_test(test_a_held_cluster_of_a_set_that_has_just_changed_is_not_yet),
                cmocka_unit_test(test_a_cluster_whose_canary_has_failed_is_as_one_that_is_held),
                cmocka_unit_test(test_a_cluster_that_becomes_held_by_an_event_is_no_at_once),
                cmocka_unit_test(test_a_held_cluster_of_no_known_material_does_not_count),
                cmocka_unit_test(
                        test_with_a_digest_other_materials_and_their_clusters_do_not_count),
                cmocka_unit_test(test_a_digest_that_no_material_has_is_not_yet_while_one_is_good),
                cmocka_unit_test(test_without_materials_nothing_is_decided),
                cmocka_unit_test(test_without_a_digest_the_state_must_be_steady),
                cmocka_unit_test(test_without_a_digest_a_change_makes_the_wait_unnecessary),
                cmocka_unit_test(test_without_a_digest_every_material_and_cluster_counts),
                cmocka_unit_test(test_one_late_cluster_is_not_yet_and_one_held_is_no),
                cmocka_unit_test(test_replication_that_fails_after_the_import_is_no),
                cmocka_unit_test(test_replication_of_a_cluster_that_is_not_current_is_no_answer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
