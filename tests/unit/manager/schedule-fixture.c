#include "tests/unit/manager/schedule-fixture.h"

#include "tests/unit/test.h"

#include <sys/random.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/config/paths.h"
#include "daemon/config/schema.h"
#include "daemon/record/record-writer.h"
#include "daemon/record/rollout-table.h"
#include "daemon/record/rollout.h"

#define WALL (UINT64_C(1800000000) * USEC_PER_SEC)

Schedule schedule;

void schedule_holds(bool holds, const char *text, const char *file, int line)
{
        if (holds)
                return;
        print_error("seed %" PRIu64 ", step %u, time %" PRIu64 ": not true: %s\n", schedule.seed,
                schedule.step, schedule.now, text);
        _fail(file, line);
}

/* splitmix64. */
uint64_t schedule_random(uint64_t n)
{
        uint64_t z = schedule.random_state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return (z ^ (z >> 31)) % n;
}

bool schedule_chance(unsigned percent)
{
        return schedule_random(100) < percent;
}

uint64_t schedule_duration(uint64_t minimum, uint64_t maximum)
{
        uint64_t limit = minimum;

        while (limit < maximum && schedule_chance(80))
                limit *= 3;
        limit = limit < maximum ? limit : maximum;
        return minimum + schedule_random(limit - minimum + 1);
}

/* Stand-ins without a state of their own. */

uint64_t clock_boottime_usec(void)
{
        return schedule.now;
}

uint64_t clock_wall_usec(void)
{
        return WALL + schedule.now;
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
        assert_int_equal(size, sizeof(schedule.times.random));
        memcpy(buffer, &schedule.times.random, size);
        return (ssize_t)size;
}

int paths_record(char *buffer, size_t size, const char *name)
{
        return -ENOENT;
}

/* No daemon before has left a set on its way. */
int rollout_table_new(RolloutTable **ret)
{
        *ret = NULL;
        return 0;
}

RolloutTable *rollout_table_free(RolloutTable *table)
{
        return NULL;
}

const Rollout *rollout_table_load(RolloutTable *table, const char *material)
{
        static const Rollout none;

        return &none;
}

void rollout_table_begin(
        RolloutTable *table, const char *material, const char *fingerprint, const char *cluster)
{
}

void rollout_table_end(RolloutTable *table)
{
}

bool rollout_doubt(const Rollout *rollout, const char *cluster, Record *record)
{
        HOLDS(rollout->fingerprint[0] == '\0');
        return false;
}

/* A material is kept by its name. */
const ConfigKeyTable schema_material = {0};

bool config_key_table_equal(const ConfigKeyTable *table, const void *a, const void *b)
{
        return true;
}

struct RecordWriter {
        char nothing;
};

int record_writer_new(RecordWriter **ret, sd_event *event, const char *cluster,
        const Record *record, uint64_t delay_usec, unsigned *n_unwritten, record_writer_fn fn,
        void *userdata)
{
        static RecordWriter writer;

        *ret = &writer;
        return 0;
}

RecordWriter *record_writer_free(RecordWriter *writer)
{
        return NULL;
}

void record_writer_schedule(RecordWriter *writer)
{
}

void record_writer_retry_now(RecordWriter *writer)
{
}

int record_writer_write(RecordWriter *writer)
{
        return 0;
}

void record_writer_flush(RecordWriter *writer)
{
}

bool record_writer_flush_pending(RecordWriter *writer)
{
        return false;
}

struct Material {
        int index;
};

int material_new(Material **ret, sd_event *event, const MaterialConfig *config,
        material_changed_fn fn, void *userdata)
{
        *ret = calloc(1, sizeof(Material));
        assert_non_null(*ret);
        (*ret)->index = config->name[1] - '0';
        return 0;
}

Material *material_free(Material *material)
{
        free(material);
        return NULL;
}

void material_configure(Material *material, const MaterialConfig *config)
{
}

const MaterialStatus *material_status(const Material *material)
{
        return &schedule.materials[material->index];
}

void material_set_wave(Material *material, const WaveStatus *wave)
{
        schedule.materials[material->index].wave = *wave;
}

SealedSet *material_set(const Material *material)
{
        static SealedSet sets[N_SETS + 1];
        int number = schedule.sets[material->index];
        SealedSet *set = &sets[number];

        if (set->n_owners == 0)
                *set = (SealedSet){.n_owners = 1, .payload_fd = -1};
        set->info.fingerprint[0] = (char)('0' + number);
        return number > 0 ? set : NULL;
}

void schedule_make(const InventoryHandlers *handlers)
{
        assert_int_equal(inventory_new(&schedule.inventory, NULL, handlers), 0);
        assert_int_equal(scheduler_new(&schedule.scheduler, schedule.inventory), 0);
}

void schedule_done(void)
{
        schedule.ends = true;
        schedule.scheduler = scheduler_free(schedule.scheduler);
        schedule.inventory = inventory_free(schedule.inventory);
}

void schedule_mark(const Cluster *cluster)
{
        size_t index;

        if (inventory_find(schedule.inventory, cluster, &index))
                scheduler_mark(schedule.scheduler, index);
}

void schedule_mark_material(int material)
{
        const Config *config = inventory_config(schedule.inventory);

        for (size_t i = 0; config && i < config->n_clusters; i++)
                if (config->clusters[i].material == (size_t)material)
                        scheduler_mark_material(
                                schedule.scheduler, inventory_material_of(schedule.inventory, i));
}

/* Importers. */

unsigned schedule_count_importing(void)
{
        unsigned n = 0;

        for (size_t i = 0; i < N_JOBS; i++)
                n += schedule.jobs[i].runs && schedule.jobs[i].action != IMPORT_ACTION_CHECK;
        return n;
}

unsigned schedule_count_checking(void)
{
        unsigned n = 0;

        for (size_t i = 0; i < N_JOBS; i++)
                n += schedule.jobs[i].runs && schedule.jobs[i].action == IMPORT_ACTION_CHECK;
        return n;
}

int schedule_set_of(const ModelCluster *cluster)
{
        return schedule.sets[cluster->material];
}

bool schedule_is_full(ModelKind kind)
{
        unsigned n = schedule_count_importing();

        return (kind == MODEL_CHECK ? n + schedule_count_checking() : n) >= schedule.parallel;
}

bool schedule_is_busy(const ModelCluster *cluster)
{
        for (int i = 0; i < N_NAMES; i++) {
                const ModelCluster *other = &schedule.clusters[i];

                if (other->importing && other->importing_host == cluster->host &&
                        (other->gone || other->host != cluster->host))
                        return true;
        }
        return false;
}

static bool has_import_due(const ModelCluster *cluster)
{
        ModelDue due = model_due(cluster, schedule_set_of(cluster));

        return cluster->exists && !cluster->importing && due.kind != MODEL_CHECK &&
                due.at <= schedule.pass_at && !schedule_is_busy(cluster);
}

static void forget_overtaken(ModelCluster *cluster)
{
        memset(cluster->overtaken, 0, sizeof(cluster->overtaken));
}

void schedule_begin_pass(void)
{
        schedule.pass_at = schedule.now;
        schedule.n_started = 0;
        for (int i = 0; i < N_NAMES; i++) {
                ModelCluster *cluster = &schedule.clusters[i];

                if (cluster->exists)
                        model_plan(cluster, schedule_set_of(cluster));
                if (!has_import_due(cluster))
                        forget_overtaken(cluster);
        }
}

/* Imports are served in turn: none that waits is overtaken twice by another cluster. */
static void expect_turn(int index)
{
        forget_overtaken(&schedule.clusters[index]);
        for (int i = 0; i < N_NAMES; i++)
                if (i != index && has_import_due(&schedule.clusters[i]))
                        HOLDS(schedule.clusters[i].overtaken[index]++ == 0);
}

/* A start is what the model has due, with a free slot, and not before its time. */
static void expect_due(const ModelCluster *cluster, const ImportTask *task)
{
        static const ImportAction actions[] = {
                [MODEL_CHECK] = IMPORT_ACTION_CHECK,
                [MODEL_IMPORT] = IMPORT_ACTION_IMPORT,
                [MODEL_RESTART] = IMPORT_ACTION_RESTART_REPLICATION,
        };
        int set = schedule_set_of(cluster);
        ModelDue due = model_due(cluster, set);

        HOLDS(cluster->exists && !cluster->importing);
        HOLDS(due.kind != MODEL_NOTHING && task->action == actions[due.kind]);
        HOLDS(due.at <= schedule.pass_at);
        HOLDS(!schedule_is_full(due.kind));
        HOLDS(due.kind == MODEL_CHECK || !schedule_is_busy(cluster));
        HOLDS(task->set.fingerprint[0] == '0' + set);
        HOLDS(due.kind != MODEL_CHECK || !cluster->checking);
        HOLDS(due.kind != MODEL_IMPORT || task->forced == (cluster->forced == set));
}

static ImportJob *free_job(void)
{
        size_t i = 0;

        while (i < N_JOBS && schedule.jobs[i].runs)
                i++;
        HOLDS(i < N_JOBS);
        return &schedule.jobs[i];
}

int import_job_start(ImportJob **ret, sd_event *event, const ImportTask *task,
        const ImportJobHandlers *handlers, Outcome *ret_outcome)
{
        static const ModelEnd failed = {.kind = OUTCOME_CRASHED, .transient = true};
        int index = task->cluster->name[1] - '0';
        ModelCluster *cluster = &schedule.clusters[index];
        bool checks = task->action == IMPORT_ACTION_CHECK;
        int set = schedule_set_of(cluster);

        if (schedule.on_start)
                schedule.on_start(index, task);
        else
                expect_due(cluster, task);
        if (!checks) {
                if (!schedule.on_start)
                        expect_turn(index);
                cluster->forced = 0;
                cluster->restarting = task->action == IMPORT_ACTION_RESTART_REPLICATION;
                cluster->importing_host = cluster->host;
        }
        schedule.n_started++;
        if (schedule_chance(schedule.slow_forks))
                schedule.now += schedule_random(4 * USEC_PER_MSEC);
        if (schedule_chance(schedule.start_errors)) {
                *ret_outcome = (Outcome){.kind = failed.kind};
                if (checks)
                        model_end_check(cluster, &failed, &schedule.times, schedule.now);
                else
                        model_end_import(cluster, set, &failed, &schedule.times, schedule.now);
                return -EAGAIN;
        }
        cluster->importing = cluster->importing || !checks;
        cluster->checking = checks;
        *ret = free_job();
        **ret = (ImportJob){.runs = true,
                .cluster = index,
                .set = set,
                .has_ledger = cluster->has_ledger,
                .action = task->action,
                .handlers = *handlers,
                .host = task->cluster->login.host,
                .end_at = schedule.now +
                        schedule_duration(
                                USEC_PER_MSEC, checks ? 15 * USEC_PER_SEC : USEC_PER_MIN)};
        return 0;
}

bool import_job_is_into(const ImportJob *job, const char *host, unsigned port)
{
        return strcmp(job->host, host) == 0;
}

bool import_job_is_stuck(const ImportJob *job)
{
        return false;
}

ImportJob *import_job_free(ImportJob *job)
{
        if (!job)
                return NULL;
        HOLDS(!job->runs || job->action == IMPORT_ACTION_CHECK || schedule.ends);
        if (job->runs && job->action == IMPORT_ACTION_CHECK)
                schedule.clusters[job->cluster].checking = false;
        job->runs = false;
        return NULL;
}

ImportJob *schedule_next_job(void)
{
        ImportJob *next = NULL;

        for (size_t i = 0; i < N_JOBS; i++)
                if (schedule.jobs[i].runs && (!next || schedule.jobs[i].end_at < next->end_at))
                        next = &schedule.jobs[i];
        return next;
}

static ModelEnd random_end(const ImportJob *job)
{
        static const ModelEnd ends[] = {
                {.kind = OUTCOME_UNREACHABLE, .transient = true},
                {.kind = OUTCOME_REPLICATION_FAILED},
                /* Not of a restart of replication. */
                {.kind = OUTCOME_UNREACHABLE, .transient = true},
                {.kind = OUTCOME_UNREACHABLE, .transient = true},
                {.kind = OUTCOME_NOT_WRITER, .transient = true},
                {.kind = OUTCOME_REJECTED, .transient = true}, /* with 1213 */
                {.kind = OUTCOME_NO_PRIVILEGE},
                {.kind = OUTCOME_REPLICATION_FAILED, .committed = true, .restart_due = true},
                {.kind = OUTCOME_UNKNOWN, .transient = true, .in_doubt = true},
                {.kind = OUTCOME_CRASHED, .transient = true, .in_doubt = true},
        };
        bool imports = job->action == IMPORT_ACTION_IMPORT;
        ModelEnd end = {.kind = OUTCOME_IMPORTED, .success = true, .committed = imports};

        if (schedule_chance(40))
                end = ends[schedule_random(imports ? sizeof(ends) / sizeof(ends[0]) : 2)];
        if (job->has_ledger && imports && schedule_chance(20)) {
                end = (ModelEnd){.kind = OUTCOME_SUPERSEDED, .transient = true};
                end.ledger_known = true;
                end.ledger_set = job->set % N_SETS + 1;
        } else if (job->has_ledger && imports && schedule_chance(20))
                end = (ModelEnd){.kind = OUTCOME_ALREADY_CURRENT,
                        .success = true,
                        .ledger_known = true,
                        .ledger_set = job->set};
        return end;
}

static ModelEnd random_answer(const ImportJob *job)
{
        ModelEnd end = {.kind = OUTCOME_ALREADY_CURRENT};

        if (schedule_chance(20))
                end.kind = OUTCOME_UNREACHABLE;
        else if (job->has_ledger) {
                end.ledger_known = true;
                end.ledger_set = schedule_chance(70) ? job->set : (int)schedule_random(N_SETS + 1);
        }
        return end;
}

void schedule_end(ImportJob *job)
{
        ModelCluster *cluster = &schedule.clusters[job->cluster];
        bool checks = job->action == IMPORT_ACTION_CHECK;
        ModelEnd end = checks ? random_answer(job) : random_end(job);
        Outcome outcome = {.kind = end.kind,
                .effect = {.committed = end.committed,
                        .in_doubt = end.in_doubt,
                        .restart_due = end.restart_due},
                .sql_errno = end.kind == OUTCOME_REJECTED ? 1213 : 0,
                .ledger.known = end.ledger_known};

        if (schedule.on_end)
                schedule.on_end(job, &outcome);
        if (end.ledger_set > 0) {
                outcome.ledger.newest.state = LEDGER_STATE_IMPORTED;
                outcome.ledger.newest.set.fingerprint[0] = (char)('0' + end.ledger_set);
        }
        if (checks)
                model_end_check(cluster, &end, &schedule.times, schedule.now);
        else
                model_end_import(cluster, job->set, &end, &schedule.times, schedule.now);
        if (cluster->gone)
                *cluster = (ModelCluster){0};
        job->runs = false;
        job->handlers.ended(&outcome, job->handlers.userdata);
}
