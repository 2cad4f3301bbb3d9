/*
 * The test program has its own inventory, clusters and clock: a test sets the plan of each
 * cluster and reads which were started.
 */

#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/cluster/cluster-start.h"
#include "daemon/manager/scheduler.h"

#define NOW        (UINT64_C(1000) * USEC_PER_SEC)
#define N_CLUSTERS 5
#define B          "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct Cluster {
        Plan plan;
        bool importing, checking, server_busy, begun, alone;
        PlanAction started; /* PLAN_NOTHING: not started */
        ClusterConfig config;
        Record record;
        Replication replication;
        const WaveStatus *wave; /* of the set that was planned */
        ClusterStatus status;
};

struct Material {
        MaterialStatus status;
};

struct Inventory {
        Config config;
        MaterialConfig material_config;
        Material material;
        Cluster clusters[N_CLUSTERS];
        unsigned n_gone; /* each importing */
        ClusterCounts counts;
        const MaterialStatus *material_statuses[1];
        const ClusterStatus *cluster_statuses[N_CLUSTERS];
};

static Inventory inventory;
static ClusterConfig cluster_configs[N_CLUSTERS]; /* all of the one material */
static Scheduler *scheduler;
static char order[N_CLUSTERS + 1]; /* of the starts, as digits */
static uint64_t clock_usec, fork_usec;
static int start_error;
static unsigned n_planned;

uint64_t clock_boottime_usec(void)
{
        return clock_usec;
}

const Config *inventory_config(const Inventory *unused)
{
        return &inventory.config;
}

Cluster *inventory_cluster(const Inventory *unused, size_t index)
{
        assert_in_range(index, 0, N_CLUSTERS - 1);
        return &inventory.clusters[index];
}

Material *inventory_material_of(const Inventory *unused, size_t cluster)
{
        return &inventory.material;
}

const ClusterCounts *inventory_counts(const Inventory *unused)
{
        inventory.counts = (ClusterCounts){.n_importing = inventory.n_gone};
        for (size_t i = 0; i < N_CLUSTERS; i++) {
                inventory.counts.n_importing += inventory.clusters[i].importing;
                inventory.counts.n_checking += inventory.clusters[i].checking;
        }
        return &inventory.counts;
}

void inventory_begin_rollout(Inventory *unused, size_t cluster, const char *fingerprint, bool alone)
{
        PlanAction action = inventory.clusters[cluster].plan.action;

        assert_true(action == PLAN_IMPORT || action == PLAN_HEAL);
        assert_int_equal(inventory.clusters[cluster].started, PLAN_NOTHING); /* before the start */
        inventory.clusters[cluster].begun = true;
        inventory.clusters[cluster].alone = alone;
}

bool inventory_is_server_busy(Inventory *unused, size_t cluster)
{
        return inventory.clusters[cluster].server_busy;
}

ManagerStatus inventory_status(const Inventory *unused, uint64_t now_usec)
{
        return (ManagerStatus){.materials = inventory.material_statuses,
                .n_materials = 1,
                .clusters = inventory.cluster_statuses,
                .n_clusters = N_CLUSTERS,
                .now_usec = now_usec};
}

static SealedSet on_disk = {.n_owners = 1, .payload_fd = 7};

const ClusterStatus *cluster_status(const Cluster *cluster)
{
        return &cluster->status;
}

void cluster_set_proof(Cluster *cluster, const RecordProof *proof, const char *fault)
{
        cluster->record.proof = *proof;
}

void material_set_wave(Material *material, const WaveStatus *wave)
{
        material->status.wave = *wave;
}

const MaterialStatus *material_status(const Material *material)
{
        return &material->status;
}

SealedSet *material_set(const Material *material)
{
        assert_ptr_equal(material, &inventory.material);
        text_set(on_disk.info.fingerprint, sizeof(on_disk.info.fingerprint),
                inventory.config.rollout == ROLLOUT_CANARY ? B : "");
        return &on_disk;
}

bool cluster_is_importing(const Cluster *cluster)
{
        return cluster->importing;
}

bool cluster_is_checking(const Cluster *cluster)
{
        return cluster->checking;
}

Plan cluster_plan(Cluster *cluster, SealedSet *set, const WaveStatus *wave, uint64_t now_usec)
{
        assert_ptr_equal(set, &on_disk);
        assert_int_equal(now_usec, NOW);
        n_planned++;
        cluster->wave = wave;
        return cluster->importing ? (Plan){.action = PLAN_RUNS} : cluster->plan;
}

int cluster_start(Cluster *cluster, PlanAction action, SealedSet *set)
{
        assert_ptr_equal(set, &on_disk);
        assert_int_equal(action, cluster->plan.action);
        cluster->started = action;
        order[strlen(order)] = (char)('0' + (cluster - inventory.clusters));
        clock_usec += fork_usec;
        if (start_error < 0)
                return start_error;
        cluster->importing = action != PLAN_CHECK;
        cluster->checking = action == PLAN_CHECK;
        (void)inventory_counts(NULL); /* the scheduler has the result of an earlier call */
        return 0;
}

/* Five clusters that are to be imported, and a limit that allows all at once. */
static int make(void **state)
{
        inventory = (Inventory){
                .config = {.parallel_imports = N_CLUSTERS,
                        .n_clusters = N_CLUSTERS,
                        .clusters = cluster_configs},
                .material.status = {.inspected = true, .state = MATERIAL_STATE_VALID},
        };
        inventory.material_statuses[0] = &inventory.material.status;
        for (size_t i = 0; i < N_CLUSTERS; i++) {
                inventory.clusters[i] =
                        (Cluster){.plan.action = PLAN_IMPORT, .status.state = CLUSTER_CURRENT};
                inventory.cluster_statuses[i] = &inventory.clusters[i].status;
        }
        memset(order, 0, sizeof(order));
        clock_usec = NOW;
        fork_usec = 0;
        start_error = 0;
        n_planned = 0;
        if (scheduler_new(&scheduler, &inventory) < 0)
                return -1;
        scheduler_reset(scheduler);
        return 0;
}

static int done(void **state)
{
        scheduler = scheduler_free(scheduler);
        return 0;
}

static void plan_all(PlanAction action, uint64_t not_before_usec)
{
        for (size_t i = 0; i < N_CLUSTERS; i++)
                inventory.clusters[i].plan =
                        (Plan){.action = action, .not_before_usec = not_before_usec};
}

static void expect(uint64_t earliest, const char *started)
{
        assert_int_equal(scheduler_start_due(scheduler, NOW), earliest);
        assert_string_equal(order, started);
}

static void test_all_that_is_due_starts_in_one_pass(void **state)
{
        inventory.clusters[1].plan.action = PLAN_RESTART_REPLICATION;
        inventory.clusters[2].plan.action = PLAN_CHECK;
        inventory.clusters[3].plan.action = PLAN_HEAL;
        inventory.clusters[4].plan.action = PLAN_REMOVE;
        expect(USEC_NEVER, "01234");
        for (size_t i = 0; i < N_CLUSTERS; i++)
                assert_int_equal(inventory.clusters[i].begun, i == 0 || i == 3);
}

static void test_a_plan_that_is_not_due_starts_nothing(void **state)
{
        static const PlanAction actions[] = {PLAN_NOTHING, PLAN_WAIT, PLAN_KEEP, PLAN_DELAY};

        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                plan_all(actions[i], 0);
                expect(USEC_NEVER, "");
        }
}

static void test_the_earliest_delay_is_returned(void **state)
{
        plan_all(PLAN_DELAY, NOW + 5);
        inventory.clusters[3].plan.not_before_usec = NOW + 2;
        inventory.clusters[4].plan = (Plan){.action = PLAN_KEEP, .not_before_usec = NOW + 3};
        expect(NOW + 2, "");
}

static void test_a_cluster_that_imports_is_left_alone(void **state)
{
        inventory.clusters[2].importing = true;
        expect(USEC_NEVER, "0134");
}

static void test_a_check_that_runs_is_not_started_again(void **state)
{
        inventory.clusters[2].plan.action = PLAN_CHECK;
        inventory.clusters[2].checking = true;
        expect(USEC_NEVER, "0134");
}

static void test_an_import_starts_beside_a_check_of_the_same_cluster(void **state)
{
        inventory.clusters[2].checking = true;
        expect(USEC_NEVER, "01234");
}

static void test_parallel_imports_is_the_limit(void **state)
{
        inventory.config.parallel_imports = 2;
        inventory.clusters[1].plan.action = PLAN_REMOVE;
        inventory.clusters[2].plan.action = PLAN_REMOVE;
        expect(USEC_NEVER, "01");
}

static void test_an_import_that_runs_counts_against_the_limit(void **state)
{
        inventory.config.parallel_imports = 2;
        inventory.clusters[4].importing = true;
        expect(USEC_NEVER, "0");
}

static void test_an_import_of_a_gone_cluster_counts_against_the_limit(void **state)
{
        inventory.config.parallel_imports = 2;
        inventory.n_gone = 2;
        expect(USEC_NEVER, "");
}

static void test_an_import_waits_for_one_that_a_reload_left_behind(void **state)
{
        inventory.clusters[1].server_busy = true;
        inventory.clusters[2].server_busy = true;
        inventory.clusters[2].plan.action = PLAN_RESTART_REPLICATION;
        inventory.clusters[3].server_busy = true;
        inventory.clusters[3].plan.action = PLAN_CHECK;
        expect(USEC_NEVER, "034");
}

static void test_checks_do_not_count_against_the_limit_of_an_import(void **state)
{
        inventory.config.parallel_imports = 1;
        for (size_t i = 1; i < N_CLUSTERS; i++) {
                inventory.clusters[i].plan.action = PLAN_CHECK;
                inventory.clusters[i].checking = true;
        }
        expect(USEC_NEVER, "0");
}

static void test_a_check_that_starts_leaves_its_place_to_an_import(void **state)
{
        inventory.config.parallel_imports = 1;
        inventory.clusters[0].plan.action = PLAN_CHECK;
        expect(USEC_NEVER, "01");
}

static void test_an_import_that_ends_the_check_of_its_cluster_takes_one_place(void **state)
{
        inventory.config.parallel_imports = 2;
        plan_all(PLAN_CHECK, 0);
        inventory.clusters[0] = (Cluster){.plan.action = PLAN_IMPORT, .checking = true};
        expect(USEC_NEVER, "01");
}

static void test_what_cannot_start_takes_no_place(void **state)
{
        inventory.config.parallel_imports = 1;
        start_error = -EAGAIN;
        expect(USEC_NEVER, "01234");
}

static void test_imports_and_checks_count_against_the_limit_of_a_check(void **state)
{
        plan_all(PLAN_CHECK, 0);
        inventory.config.parallel_imports = 3;
        inventory.clusters[0].checking = true;
        inventory.clusters[1].importing = true;
        expect(USEC_NEVER, "2");
}

/* All have ended, and are due again. */
static void begin_again(void)
{
        for (size_t i = 0; i < N_CLUSTERS; i++) {
                inventory.clusters[i].importing = inventory.clusters[i].checking = false;
                inventory.clusters[i].started = PLAN_NOTHING;
        }
        scheduler_mark_material(scheduler, &inventory.material);
        memset(order, 0, sizeof(order));
}

static void test_clusters_are_served_round_robin(void **state)
{
        inventory.config.parallel_imports = 2;
        expect(USEC_NEVER, "01");
        begin_again();
        expect(USEC_NEVER, "23");
        begin_again();
        expect(USEC_NEVER, "40");
}

static void test_a_pass_without_a_start_keeps_the_turn(void **state)
{
        inventory.config.parallel_imports = 3;
        expect(USEC_NEVER, "012");
        begin_again();
        plan_all(PLAN_DELAY, NOW + 5);
        expect(NOW + 5, "");
        begin_again();
        plan_all(PLAN_IMPORT, 0);
        expect(USEC_NEVER, "340");
}

static void test_only_what_has_changed_is_planned(void **state)
{
        plan_all(PLAN_KEEP, 0);
        expect(USEC_NEVER, "");
        assert_int_equal(n_planned, N_CLUSTERS);
        expect(USEC_NEVER, "");
        assert_int_equal(n_planned, N_CLUSTERS);
        plan_all(PLAN_IMPORT, 0);
        scheduler_mark(scheduler, 3);
        expect(USEC_NEVER, "3");
        begin_again();
        scheduler_reset(scheduler);
        expect(USEC_NEVER, "40123");
}

static void test_what_is_due_waits_for_a_place_without_a_mark(void **state)
{
        inventory.config.parallel_imports = 1;
        inventory.clusters[2].plan.action = PLAN_CHECK;
        expect(USEC_NEVER, "0");
        inventory.clusters[0].importing = false;
        expect(USEC_NEVER, "01");
        inventory.clusters[1].importing = false;
        expect(USEC_NEVER, "0123");
}

static void test_what_has_waited_is_planned_again_before_its_start(void **state)
{
        inventory.config.parallel_imports = 1;
        expect(USEC_NEVER, "0");
        inventory.clusters[0].importing = false;
        inventory.clusters[1].plan = (Plan){.action = PLAN_DELAY, .not_before_usec = NOW + 7};
        expect(NOW + 7, "02");
}

static void test_a_time_that_has_come_leads_to_a_plan(void **state)
{
        plan_all(PLAN_DELAY, NOW + 5);
        inventory.clusters[3].plan.not_before_usec = NOW;
        expect(NOW, "");
        inventory.clusters[3].plan = (Plan){.action = PLAN_IMPORT};
        expect(NOW + 5, "3");
        assert_int_equal(n_planned, N_CLUSTERS + 2);
}

static void test_a_pass_with_slow_forks_ends_early_and_goes_on_at_once(void **state)
{
        fork_usec = 2 * USEC_PER_MSEC;
        expect(NOW, "01");
        expect(NOW, "012"); /* it begins late */
}

static void test_a_pass_that_begins_late_starts_one(void **state)
{
        clock_usec = NOW + USEC_PER_SEC;
        expect(NOW, "0");
}

static void test_without_clusters_nothing_is_due(void **state)
{
        inventory.config.n_clusters = 0;
        expect(USEC_NEVER, "");
}

/* The third cluster is the canary. */
static void begin_wave(void)
{
        inventory.config.rollout = ROLLOUT_CANARY;
        inventory.config.canary_hold_usec = USEC_PER_MIN;
        inventory.config.materials = &inventory.material_config;
        inventory.config.n_materials = 1;
        inventory.material_config.canary = 2;
        for (size_t i = 0; i < N_CLUSTERS; i++) {
                Cluster *cluster = &inventory.clusters[i];

                cluster->config = (ClusterConfig){.enabled = true, .name = {(char)('a' + i)}};
                cluster->config.replication = REPLICATION_OBSERVE;
                cluster->status.config = &cluster->config;
                cluster->status.record = &cluster->record;
                cluster->status.replication = &cluster->replication;
        }
}

static const WaveStatus *expect_wave(WaveState state, unsigned n_waiting)
{
        const WaveStatus *wave = &inventory.material.status.wave;

        expect(USEC_NEVER, "01234");
        memset(order, 0, sizeof(order));
        for (size_t i = 0; i < N_CLUSTERS; i++) {
                inventory.clusters[i].importing = false;
                assert_ptr_equal(inventory.clusters[i].wave, wave);
                inventory.clusters[i].started = PLAN_NOTHING;
        }
        scheduler_mark(scheduler, 2);
        assert_int_equal(wave->state, state);
        assert_int_equal(wave->n_waiting, n_waiting);
        return wave;
}

static void test_a_pass_brings_the_wave_up_to_date_before_the_plans(void **state)
{
        Cluster *canary = &inventory.clusters[2];

        begin_wave();
        assert_string_equal(expect_wave(WAVE_IMPORTING, 4)->canary, "c");
        assert_true(canary->alone);
        assert_false(inventory.clusters[1].alone); /* by hand */
        memcpy(canary->record.imported.fingerprint, B, sizeof(B));
        canary->replication = (Replication){
                .known = true, .configured = true, .io_running = "Yes", .sql_running = "Yes"};
        canary->replication.checked_at_usec = canary->status.read_usec = 7;
        assert_int_equal(expect_wave(WAVE_HOLDING, 4)->since_at_usec, 7);
        assert_string_equal(canary->record.proof.fingerprint, B);
        assert_string_equal(inventory.clusters[1].record.proof.fingerprint, "");
        canary->status.read_usec += USEC_PER_MIN;
        expect_wave(WAVE_OPEN, 0);
        assert_true(canary->record.proof.proven);
        assert_false(canary->alone);
}

static void test_a_set_that_any_cluster_has_proven_is_proven(void **state)
{
        Cluster *cluster = &inventory.clusters[4];

        begin_wave();
        cluster->record.proof.proven = true;
        memcpy(cluster->record.proof.fingerprint, B, sizeof(B));
        expect_wave(WAVE_OPEN, 0);
}

static void test_a_material_without_an_enabled_cluster_has_no_wave(void **state)
{
        begin_wave();
        inventory.material_config.canary = SIZE_MAX;
        expect_wave(WAVE_NONE, 0);
}

static void expect_idle(bool expected_idle, bool expected_current)
{
        bool current = !expected_current;

        assert_int_equal(scheduler_is_idle(scheduler, &current), expected_idle);
        if (expected_idle)
                assert_int_equal(current, expected_current);
}

static void test_idle_and_current_when_all_clusters_are(void **state)
{
        expect_idle(true, true);
}

static void test_not_idle_before_the_first_inspection(void **state)
{
        inventory.material.status.inspected = false;
        expect_idle(false, false);
}

static void test_not_idle_while_a_material_changes(void **state)
{
        inventory.material.status.state = MATERIAL_STATE_CHANGING;
        expect_idle(false, false);
}

static void test_idle_and_current_by_the_state_of_one_cluster(void **state)
{
        static const struct {
                ClusterState state;
                bool idle, current;
        } cases[] = {
                {CLUSTER_WAITING, true, false},
                {CLUSTER_IMPORTING, false, false},
                {CLUSTER_CURRENT, true, true},
                {CLUSTER_RETRYING, true, false},
                {CLUSTER_HELD, true, false},
                {CLUSTER_DISABLED, true, true},
        };

        assert_int_equal(ARRAY_SIZE(cases), _CLUSTER_STATE_MAX);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                inventory.clusters[2].status.state = cases[i].state;
                expect_idle(cases[i].idle, cases[i].current);
        }
}

static void test_not_idle_while_something_waits_for_a_place(void **state)
{
        inventory.config.parallel_imports = 0;
        expect(USEC_NEVER, "");
        expect_idle(false, false);
}

static void test_not_idle_while_a_check_is_due(void **state)
{
        inventory.clusters[2].status.check.due = true;
        expect_idle(false, false);
}

#define scheduler_test(test) cmocka_unit_test_setup_teardown(test, make, done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                scheduler_test(test_all_that_is_due_starts_in_one_pass),
                scheduler_test(test_a_plan_that_is_not_due_starts_nothing),
                scheduler_test(test_the_earliest_delay_is_returned),
                scheduler_test(test_a_cluster_that_imports_is_left_alone),
                scheduler_test(test_a_check_that_runs_is_not_started_again),
                scheduler_test(test_an_import_starts_beside_a_check_of_the_same_cluster),
                scheduler_test(test_parallel_imports_is_the_limit),
                scheduler_test(test_an_import_that_runs_counts_against_the_limit),
                scheduler_test(test_an_import_of_a_gone_cluster_counts_against_the_limit),
                scheduler_test(test_an_import_waits_for_one_that_a_reload_left_behind),
                scheduler_test(test_checks_do_not_count_against_the_limit_of_an_import),
                scheduler_test(test_a_check_that_starts_leaves_its_place_to_an_import),
                scheduler_test(test_an_import_that_ends_the_check_of_its_cluster_takes_one_place),
                scheduler_test(test_what_cannot_start_takes_no_place),
                scheduler_test(test_imports_and_checks_count_against_the_limit_of_a_check),
                scheduler_test(test_clusters_are_served_round_robin),
                scheduler_test(test_a_pass_without_a_start_keeps_the_turn),
                scheduler_test(test_only_what_has_changed_is_planned),
                scheduler_test(test_what_is_due_waits_for_a_place_without_a_mark),
                scheduler_test(test_what_has_waited_is_planned_again_before_its_start),
                scheduler_test(test_a_time_that_has_come_leads_to_a_plan),
                scheduler_test(test_a_pass_with_slow_forks_ends_early_and_goes_on_at_once),
                scheduler_test(test_a_pass_that_begins_late_starts_one),
                scheduler_test(test_without_clusters_nothing_is_due),
                scheduler_test(test_a_pass_brings_the_wave_up_to_date_before_the_plans),
                scheduler_test(test_a_set_that_any_cluster_has_proven_is_proven),
                scheduler_test(test_a_material_without_an_enabled_cluster_has_no_wave),
                scheduler_test(test_idle_and_current_when_all_clusters_are),
                scheduler_test(test_not_idle_before_the_first_inspection),
                scheduler_test(test_not_idle_while_a_material_changes),
                scheduler_test(test_idle_and_current_by_the_state_of_one_cluster),
                scheduler_test(test_not_idle_while_a_check_is_due),
                scheduler_test(test_not_idle_while_something_waits_for_a_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
