/*
 * In every sequence of events and configurations, all that is due starts at its time.
 *
 * Each time the simulated loop would sleep, nothing that is due may be left while a slot is free,
 * and the requested time is that of the earliest thing that comes next. With --once, nothing comes
 * twice and the end is reached. With a seed as its argument the program runs that sequence alone.
 */

#include "tests/unit/manager/schedule-fixture.h"

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/manager/scheduler.h"

#define N_SEQUENCES 100000
#define N_STEPS     40

typedef struct Loop {
        bool requested; /* what wakeup_request() sets */
        uint64_t timer; /* what wakeup_request_at() sets */
} Loop;

/* daemon/manager/manager.c requests a pass with every event; that of an end must be enough. */
static void on_cluster(Cluster *cluster, ClusterEvent event, const Outcome *outcome, void *userdata)
{
        Loop *loop = userdata;

        if (event != CLUSTER_EVENT_END)
                return;
        schedule_mark(cluster);
        loop->requested = true;
}

static void on_material(Material *material, void *userdata)
{
}

static void on_cluster_removed(const ClusterStatus *cluster, void *userdata)
{
}

static void on_material_removed(const MaterialStatus *material, void *userdata)
{
}

static void run_pass(Loop *loop)
{
        loop->requested = false;
        inventory_free_gone(schedule.inventory);
        schedule_begin_pass();
        loop->timer = scheduler_start_due(schedule.scheduler, schedule.now);
}

/* Runs until the loop sleeps. After a pass that starts nothing it must. */
static void run_pending(Loop *loop)
{
        bool first = true;

        for (; loop->requested || loop->timer <= schedule.now; first = false) {
                HOLDS(first || schedule.n_started > 0);
                run_pass(loop);
        }
}

/* The loop is about to sleep. */
static void expect_nothing_left(const Loop *loop)
{
        uint64_t next = MODEL_NEVER;

        for (int i = 0; i < N_NAMES; i++) {
                const ModelCluster *cluster = &schedule.clusters[i];
                ModelDue due = model_due(cluster, schedule_set_of(cluster));

                if (!cluster->exists || cluster->importing)
                        continue;
                if (due.at <= schedule.now)
                        HOLDS(schedule_is_full(due.kind) ||
                                (due.kind == MODEL_CHECK ? cluster->checking
                                                         : schedule_is_busy(cluster)));
                else if (due.at < next)
                        next = due.at;
        }
        HOLDS(loop->timer == next);
}

/* Returns true if nothing runs or is due, and expects the same of the scheduler. */
static bool is_idle(const Loop *loop)
{
        size_t n_materials = inventory_config(schedule.inventory)->n_materials;
        bool idle = true, all_current = true, current = false;

        for (size_t i = 0; i < n_materials; i++)
                idle = idle && schedule.materials[i].inspected &&
                        schedule.materials[i].state != MATERIAL_STATE_CHANGING;
        for (int i = 0; i < N_NAMES; i++) {
                const ModelCluster *cluster = &schedule.clusters[i];
                int set = schedule_set_of(cluster);

                if (!cluster->exists)
                        continue;
                idle = idle && !cluster->importing && model_due(cluster, set).at > schedule.now;
                all_current = all_current && (!cluster->enabled || model_is_current(cluster, set));
        }
        HOLDS(scheduler_is_idle(schedule.scheduler, &current) == idle);
        HOLDS(!idle || current == all_current);
        return idle;
}

static void random_times(Config *config)
{
        static const uint64_t ms = USEC_PER_MSEC;

        config->parallel_imports = 1 + (unsigned)schedule_random(3);
        config->import_timeout_usec = USEC_PER_MIN;
        config->once = schedule.times.once;
        config->retry_min_usec = schedule_duration(10 * ms, USEC_PER_HOUR);
        config->retry_max_usec = schedule_duration(10 * ms, USEC_PER_HOUR);
        config->retry_held_usec = schedule_duration(100 * ms, USEC_PER_DAY);
        config->check_interval_usec = schedule_duration(100 * ms, USEC_PER_DAY);
        schedule.parallel = config->parallel_imports;
        schedule.times.retry_min = config->retry_min_usec;
        schedule.times.retry_max = config->retry_max_usec;
        schedule.times.retry_held = config->retry_held_usec;
        schedule.times.check_interval = config->check_interval_usec;
}

static ModelCluster random_cluster(size_t n_materials)
{
        static const int replications[] = {
                REPLICATION_IGNORE, REPLICATION_OBSERVE, REPLICATION_RESTART};
        int ledger = (int)schedule_random(4);

        return (ModelCluster){.exists = true,
                .enabled = schedule_chance(90),
                .replication = replications[schedule_random(3)],
                .ledger = ledger < 2 ? 0 : ledger,
                .has_ledger = ledger >= 2,
                .host = schedule_chance(90) ? 0 : 1,
                .material = (int)schedule_random(n_materials)};
}

static void write_cluster(ClusterConfig *ret, const ModelCluster *cluster, int index)
{
        static const char *const hosts[] = {"one.example", "two.example"};
        static const char *const ledgers[] = {"", "", "binlog.one", "binlog.two"};

        snprintf(ret->name, sizeof(ret->name), "c%d", index);
        snprintf(ret->material_name, sizeof(ret->material_name), "m%d", cluster->material);
        ret->login.host = hosts[cluster->host];
        ret->login.port = 3306;
        ret->material = (size_t)cluster->material;
        ret->replication = (ReplicationMode)cluster->replication;
        ret->ledger = ledgers[cluster->ledger];
        ret->enabled = cluster->enabled;
}

/* A cluster that goes while it imports is kept until the end, and taken back if its name comes. */
static void remove_cluster(ModelCluster *cluster)
{
        cluster->exists = false;
        cluster->gone = cluster->importing;
        if (!cluster->gone)
                *cluster = (ModelCluster){0};
}

static void reload(Loop *loop)
{
        Config *config = calloc(1, sizeof(*config));
        bool asks_else[N_NAMES] = {false};

        assert_non_null(config);
        config->n_materials = 1 + (size_t)schedule_random(N_MATERIALS);
        config->materials = calloc(config->n_materials, sizeof(MaterialConfig));
        config->clusters = calloc(N_NAMES, sizeof(ClusterConfig));
        assert_true(config->materials && config->clusters);
        random_times(config);
        for (size_t i = 0; i < config->n_materials; i++)
                snprintf(config->materials[i].name, CONFIG_NAME_MAX, "m%zu", i);
        for (int i = 0; i < N_NAMES; i++) {
                ModelCluster *cluster = &schedule.clusters[i];
                ModelCluster wanted = random_cluster(config->n_materials);

                if (schedule_chance(30)) {
                        remove_cluster(cluster);
                        continue;
                }
                if (cluster->exists || cluster->gone)
                        asks_else[i] = model_configure(cluster, &wanted);
                else
                        *cluster = wanted;
                cluster->exists = true;
                cluster->gone = false;
                model_retry_now(cluster, false);
                write_cluster(&config->clusters[config->n_clusters++], cluster, i);
        }
        HOLDS(inventory_apply(schedule.inventory, config) == 0);
        scheduler_reset(schedule.scheduler);
        for (int i = 0; i < N_NAMES; i++)
                HOLDS(!asks_else[i] || !schedule.clusters[i].checking);
        loop->requested = true;
}

/* A set appears, goes bad, or its files are being written. */
static void change_set(Loop *loop)
{
        static const MaterialState bad[] = {
                MATERIAL_STATE_MISSING, MATERIAL_STATE_CHANGING, MATERIAL_STATE_INVALID};
        size_t i = (size_t)schedule_random(N_MATERIALS);
        int set = (int)schedule_random(N_SETS + 1);

        schedule.sets[i] = set;
        schedule.materials[i].inspected = true;
        schedule.materials[i].state = set > 0 ? MATERIAL_STATE_VALID : bad[schedule_random(3)];
        if (schedule.inventory)
                schedule_mark_material((int)i);
        loop->requested = true;
}

/* Import of some clusters. The events before it are handled first. */
static void command(Loop *loop)
{
        size_t n = inventory_config(schedule.inventory)->n_clusters;
        bool force = schedule_chance(50);

        for (size_t i = 0; i < n; i++) {
                Cluster *cluster = inventory_cluster(schedule.inventory, i);
                int index = cluster_status(cluster)->config->name[1] - '0';

                if (schedule_chance(50))
                        continue;
                cluster_retry_now(cluster, force);
                scheduler_mark(schedule.scheduler, i);
                model_retry_now(&schedule.clusters[index], force);
                loop->requested = true;
        }
}

static void happen(Loop *loop)
{
        switch (schedule_random(8)) {
        case 0:
                reload(loop);
                break;
        case 1:
        case 2:
        case 3:
                command(loop);
                break;
        default:
                change_set(loop);
        }
}

/* Sleeps until the next event, which is given, or end or time. */
static void sleep_and_wake(Loop *loop, uint64_t event_at)
{
        const ImportJob *first = schedule_next_job();
        uint64_t end_at = first ? first->end_at : MODEL_NEVER;

        if (loop->timer <= event_at && loop->timer <= end_at) {
                schedule.now = loop->timer;
                loop->requested = true;
        } else if (end_at <= event_at) {
                schedule.now = end_at > schedule.now ? end_at : schedule.now;
                schedule_end(schedule_next_job());
        } else {
                schedule.now = event_at;
                happen(loop);
        }
}

static void run_step(Loop *loop)
{
        run_pending(loop);
        expect_nothing_left(loop);
}

/* With --once and without further events the daemon ends: after an import, a check and a restart of
 * replication of each cluster at the most. */
static void expect_end(Loop *loop)
{
        unsigned n_steps = 0;

        for (size_t i = 0; i < N_MATERIALS; i++) {
                schedule.materials[i].inspected = true;
                if (schedule.materials[i].state == MATERIAL_STATE_CHANGING)
                        schedule.materials[i].state = MATERIAL_STATE_INVALID;
        }
        for (run_step(loop); !is_idle(loop); run_step(loop)) {
                HOLDS(n_steps++ < 4 * N_NAMES);
                HOLDS(loop->timer != MODEL_NEVER || schedule_next_job());
                sleep_and_wake(loop, MODEL_NEVER);
        }
}

static void run_sequence(uint64_t seed)
{
        Loop loop = {.timer = MODEL_NEVER};
        InventoryHandlers handlers = {
                .material_changed = on_material,
                .cluster_changed = on_cluster,
                .material_removed = on_material_removed,
                .cluster_removed = on_cluster_removed,
                .userdata = &loop,
        };

        memset(&schedule, 0, sizeof(schedule));
        schedule.seed = schedule.random_state = seed;
        schedule.now = USEC_PER_DAY;
        schedule.times.random = (uint32_t)schedule_random(UINT64_C(1) << 32);
        schedule.times.once = schedule_chance(20);
        schedule.start_errors = schedule_chance(30) ? 20 : 0;
        schedule.slow_forks = schedule_chance(30) ? 50 : 0;
        for (size_t i = 0; i < N_MATERIALS; i++)
                change_set(&loop);
        schedule_make(&handlers);
        reload(&loop);
        for (schedule.step = 0; schedule.step < N_STEPS; schedule.step++) {
                run_step(&loop);
                (void)is_idle(&loop);
                sleep_and_wake(
                        &loop, schedule.now + schedule_duration(USEC_PER_MSEC, USEC_PER_HOUR));
        }
        if (schedule.times.once)
                expect_end(&loop);
        schedule_done();
}

static void test_all_that_is_due_starts_at_its_time(void **state)
{
        const uint64_t *seed = *state;

        if (seed)
                run_sequence(*seed);
        for (uint64_t i = 1; !seed && i <= N_SEQUENCES; i++)
                run_sequence(i);
}

int main(int argc, char **argv)
{
        uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_prestate(
                        test_all_that_is_due_starts_at_its_time, argc > 1 ? &seed : NULL),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
