/*
 * In every sequence of sets, outcomes, readings, reloads and commands, with rollout = canary, no
 * cluster gets a set before it is proven, and in the end all get it.
 *
 * The test writes the rules of doc/design.md, "Canary", a second time: it keeps a proof of its own
 * for each cluster, by what the importers have answered. With a seed as its argument the program
 * runs that sequence alone.
 */

#include "tests/unit/manager/schedule-fixture.h"

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/manager/scheduler.h"

#define N_SEQUENCES 20000
#define N_STEPS     60
#define MAX_WAKES   5000 /* until all is quiet */

typedef enum Reading { READING_NONE, READING_GOOD, READING_UNCLEAR, READING_FAULT } Reading;

/* One cluster: cN with material N % 2. */
typedef struct Own {
        bool enabled, wants_canary, ignores;
        int imported, by_hand, attempted; /* sets */
        bool needs_restart, check_failed;
        Reading reading; /* the last one since the import, */
        uint64_t at;     /* read at this time */
        int proof;       /* the set that it proves or has proven */
        bool proven, failed;
        uint64_t first, last, held, judged_at;
} Own;

static struct {
        Own clusters[N_NAMES];
        uint64_t hold;
        bool calm; /* all goes well from now on */
        uint64_t timer;
        bool requested;
} own;

static int canary_of(int material)
{
        int found = -1;

        for (int i = material; i < N_NAMES; i += N_MATERIALS)
                if (own.clusters[i].enabled &&
                        (found < 0 ||
                                (own.clusters[i].wants_canary &&
                                        !own.clusters[found].wants_canary)))
                        found = i;
        return found;
}

static bool is_proven(int material, int set)
{
        for (int i = material; i < N_NAMES; i += N_MATERIALS)
                if (own.clusters[i].proven && own.clusters[i].proof == set)
                        return true;
        return false;
}

/* What the readings of a canary say, before each pass. */
static void judge(Own *canary, int material)
{
        int on_disk = schedule.sets[material];
        bool begins = canary->imported == on_disk && !is_proven(material, on_disk);

        if (canary->imported == 0 || canary->needs_restart ||
                (!begins && (canary->proof != canary->imported || canary->first == 0)))
                return;
        if (canary->proof != canary->imported) {
                canary->proof = canary->imported;
                canary->proven = canary->failed = false;
                canary->first = canary->held = canary->judged_at = 0;
        }
        if (canary->proven || canary->failed)
                return;
        if (canary->ignores)
                canary->proven = true;
        if (canary->ignores || canary->reading == READING_NONE || canary->at == canary->judged_at)
                return;
        if (canary->reading == READING_FAULT && canary->first > 0)
                canary->failed = true;
        if (canary->reading == READING_GOOD) {
                canary->held += canary->first > 0 ? canary->at - canary->judged_at : 0;
                canary->first = canary->first > 0 ? canary->first : canary->at;
                canary->proven = canary->held >= own.hold;
        }
        canary->judged_at = canary->at;
}

static void judge_all(void)
{
        for (int i = 0; i < N_MATERIALS; i++)
                if (canary_of(i) >= 0)
                        judge(&own.clusters[canary_of(i)], i);
}

static void on_start(int index, const ImportTask *task)
{
        Own *cluster = &own.clusters[index];
        int material = index % N_MATERIALS, set = schedule.sets[material];
        bool proving = cluster->proof == cluster->imported && cluster->first > 0 &&
                !cluster->proven && !cluster->failed && !cluster->needs_restart;

        HOLDS(cluster->enabled && task->set.fingerprint[0] == '0' + set);
        if (task->action != IMPORT_ACTION_IMPORT || cluster->imported == set)
                return;
        HOLDS(index == canary_of(material) || is_proven(material, set) || cluster->by_hand == set);
        /* Rotations do not shorten each other. */
        HOLDS(!proving || index != canary_of(material) || is_proven(material, set) ||
                cluster->by_hand == set || cluster->check_failed || cluster->attempted == set);
}

static Reading random_reading(void)
{
        unsigned n = (unsigned)schedule_random(100);

        if (own.calm)
                return READING_GOOD;
        return n < 80    ? READING_GOOD
                : n < 90 ? READING_UNCLEAR
                : n < 96 ? READING_FAULT
                         : READING_NONE;
}

static void set_replication(Replication *ret, Reading reading)
{
        *ret = (Replication){.known = reading != READING_NONE,
                .configured = true,
                .sql_running = "Yes",
                .checked_at_usec = clock_wall_usec()};
        text_set(ret->io_running, sizeof(ret->io_running),
                reading == READING_GOOD ? "Yes" : "Connecting");
        ret->io_errno = reading == READING_FAULT ? 2026 : 0;
}

static void on_end(const ImportJob *job, Outcome *outcome)
{
        Own *cluster = &own.clusters[job->cluster];
        bool checks = job->action == IMPORT_ACTION_CHECK;
        bool asked = !cluster->ignores;
        Reading reading;

        if (own.calm)
                *outcome = (Outcome){.kind = checks ? OUTCOME_ALREADY_CURRENT : OUTCOME_IMPORTED,
                        .effect.committed = job->action == IMPORT_ACTION_IMPORT};
        reading = outcome->kind == OUTCOME_UNREACHABLE || !asked ? READING_NONE : random_reading();
        set_replication(&outcome->replication, reading);
        if (!checks) {
                cluster->reading = READING_NONE;
                cluster->check_failed = false;
                cluster->attempted = job->set;
                if (outcome->effect.committed &&
                        (cluster->proof != job->set || (!cluster->proven && !cluster->failed))) {
                        cluster->proof = 0;
                        cluster->proven = cluster->failed = false;
                        cluster->first = 0;
                }
                if (outcome->effect.committed) {
                        cluster->imported = job->set;
                        cluster->needs_restart = false;
                } else if (outcome->effect.in_doubt && cluster->imported != job->set) {
                        cluster->imported = 0;
                        cluster->needs_restart = false;
                }
                if (outcome->effect.restart_due || outcome_is_success(outcome->kind))
                        cluster->needs_restart = outcome->effect.restart_due;
        } else
                cluster->check_failed = outcome->kind != OUTCOME_ALREADY_CURRENT;
        if (reading != READING_NONE) {
                cluster->reading = reading;
                cluster->at = schedule.now;
        }
}

static void on_cluster(Cluster *cluster, ClusterEvent event, const Outcome *outcome, void *userdata)
{
        if (event != CLUSTER_EVENT_END)
                return;
        schedule_mark(cluster);
        own.requested = true;
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

static void write_cluster(ClusterConfig *ret, int index)
{
        const Own *cluster = &own.clusters[index];

        snprintf(ret->name, sizeof(ret->name), "c%d", index);
        snprintf(ret->material_name, sizeof(ret->material_name), "m%d", index % N_MATERIALS);
        ret->login.host = "one.example";
        ret->login.port = 3306;
        ret->ledger = "";
        ret->material = (size_t)(index % N_MATERIALS);
        ret->replication = cluster->ignores ? REPLICATION_IGNORE : REPLICATION_OBSERVE;
        ret->enabled = cluster->enabled;
        ret->canary = cluster->wants_canary;
}

static void choose_keys(void)
{
        bool has_canary[N_MATERIALS] = {false};

        own.hold = schedule_random(3) == 0 ? 0 : schedule_duration(USEC_PER_SEC, USEC_PER_HOUR);
        for (int i = 0; i < N_NAMES; i++) {
                Own *cluster = &own.clusters[i];
                bool *has = &has_canary[i % N_MATERIALS];

                cluster->enabled = schedule_chance(90);
                cluster->wants_canary = !*has && schedule_chance(20);
                *has = *has || cluster->wants_canary;
        }
}

static void reload(void)
{
        Config *config = calloc(1, sizeof(*config));

        assert_non_null(config);
        config->materials = calloc(N_MATERIALS, sizeof(MaterialConfig));
        config->clusters = calloc(N_NAMES, sizeof(ClusterConfig));
        assert_true(config->materials && config->clusters);
        config->parallel_imports = schedule.parallel = 1 + (unsigned)schedule_random(4);
        config->import_timeout_usec = USEC_PER_MIN;
        config->retry_min_usec = USEC_PER_SEC;
        config->retry_max_usec = USEC_PER_MIN;
        config->retry_held_usec = USEC_PER_HOUR;
        config->check_interval_usec = 5 * USEC_PER_MIN;
        config->rollout = ROLLOUT_CANARY;
        config->canary_hold_usec = own.hold;
        config->n_materials = N_MATERIALS;
        for (int i = 0; i < N_MATERIALS; i++)
                snprintf(config->materials[i].name, CONFIG_NAME_MAX, "m%d", i);
        for (int i = 0; i < N_NAMES; i++)
                write_cluster(&config->clusters[config->n_clusters++], i);
        config_choose_canaries(config);
        HOLDS(inventory_apply(schedule.inventory, config) == 0);
        scheduler_reset(schedule.scheduler);
        own.requested = true;
}

static void change_set(int material, int set)
{
        schedule.sets[material] = set;
        schedule.materials[material].inspected = true;
        schedule.materials[material].state =
                set > 0 ? MATERIAL_STATE_VALID : MATERIAL_STATE_MISSING;
        if (schedule.inventory)
                schedule_mark_material(material);
        own.requested = true;
}

/* `by_hand`: the cluster is named. The events before it are handled first. */
static void command(int index, bool by_hand)
{
        Own *cluster = &own.clusters[index];
        int set = schedule.sets[index % N_MATERIALS];

        if (by_hand) {
                cluster_release(inventory_cluster(schedule.inventory, (size_t)index));
                if (cluster->enabled && set > 0) {
                        cluster->by_hand = set;
                        if (cluster->proof == set && cluster->failed) {
                                cluster->proof = 0;
                                cluster->failed = false;
                                cluster->first = 0;
                        }
                }
        }
        cluster_retry_now(inventory_cluster(schedule.inventory, (size_t)index), false);
        scheduler_mark(schedule.scheduler, (size_t)index);
        own.requested = true;
}

static void happen(void)
{
        switch (schedule_random(10)) {
        case 0:
                choose_keys();
                reload();
                break;
        case 1:
                command((int)schedule_random(N_NAMES), true);
                break;
        case 2:
                for (int i = 0; i < N_NAMES; i++)
                        command(i, false);
                break;
        case 3:
        case 4:
                change_set((int)schedule_random(N_MATERIALS), (int)schedule_random(N_SETS + 1));
                break;
        default:
                own.requested = true;
        }
}

static void run_pending(void)
{
        do {
                own.requested = false;
                judge_all();
                schedule.n_started = 0;
                schedule.pass_at = schedule.now;
                inventory_free_gone(schedule.inventory);
                own.timer = scheduler_start_due(schedule.scheduler, schedule.now);
        } while (own.requested || own.timer <= schedule.now);
}

/* Until the next end, time, or event, which is given. Returns false if nothing comes any more. */
static bool sleep_and_wake(uint64_t event_at)
{
        ImportJob *first = schedule_next_job();
        uint64_t end_at = first ? first->end_at : MODEL_NEVER;

        if (end_at <= event_at && end_at <= own.timer && first) {
                schedule.now = end_at > schedule.now ? end_at : schedule.now;
                schedule_end(first);
        } else if (own.timer <= event_at && own.timer != MODEL_NEVER)
                schedule.now = own.timer;
        else if (event_at != MODEL_NEVER) {
                schedule.now = event_at;
                happen();
        } else
                return false;
        run_pending();
        return true;
}

static bool has_all(void)
{
        for (int i = 0; i < N_NAMES; i++)
                if (own.clusters[i].enabled &&
                        own.clusters[i].imported != schedule.sets[i % N_MATERIALS])
                        return false;
        return true;
}

/* An operator names the canaries whose replication had failed; then all clusters get the set. */
static void expect_convergence(void)
{
        unsigned wakes = 0;

        own.calm = true;
        for (int i = 0; i < N_MATERIALS; i++)
                change_set(i, 1 + (int)schedule_random(N_SETS));
        run_pending();
        while (!has_all()) {
                for (int i = 0; i < N_MATERIALS; i++)
                        if (canary_of(i) >= 0 && schedule.materials[i].wave.state == WAVE_STOPPED) {
                                command(canary_of(i), true);
                                run_pending();
                        }
                HOLDS(sleep_and_wake(MODEL_NEVER));
                HOLDS(wakes++ < MAX_WAKES);
        }
}

static void run_sequence(uint64_t seed)
{
        InventoryHandlers handlers = {
                .material_changed = on_material,
                .cluster_changed = on_cluster,
                .material_removed = on_material_removed,
                .cluster_removed = on_cluster_removed,
        };

        memset(&schedule, 0, sizeof(schedule));
        memset(&own, 0, sizeof(own));
        schedule.seed = schedule.random_state = seed;
        schedule.now = USEC_PER_DAY;
        schedule.on_start = on_start;
        schedule.on_end = on_end;
        for (int i = 0; i < N_NAMES; i++) {
                own.clusters[i].ignores = schedule_chance(15);
                schedule.clusters[i].material = i % N_MATERIALS;
        }
        choose_keys();
        schedule_make(&handlers);
        for (int i = 0; i < N_MATERIALS; i++)
                change_set(i, (int)schedule_random(N_SETS + 1));
        reload();
        run_pending();
        for (schedule.step = 0; schedule.step < N_STEPS; schedule.step++)
                (void)sleep_and_wake(
                        schedule.now + schedule_duration(USEC_PER_MSEC, USEC_PER_HOUR));
        expect_convergence();
        schedule_done();
}

static void test_no_cluster_gets_a_set_before_it_is_proven_and_all_get_it(void **state)
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
                        test_no_cluster_gets_a_set_before_it_is_proven_and_all_get_it,
                        argc > 1 ? &seed : NULL),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
