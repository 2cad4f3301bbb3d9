#pragma once

/*
 * Schedule fixture: the real inventory, clusters, plan and scheduler in a simulated world.
 *
 * Clock, random numbers, importers, record writer and materials are stand-ins. The fixture has the
 * model of each cluster, in which it enters every start and every end, and compares each start with
 * it. A violation prints the seed of the sequence, with which the test repeats only this one.
 */

#include "daemon/import/import-job.h"
#include "daemon/manager/scheduler.h"
#include "tests/unit/manager/schedule-model.h"

#define N_NAMES     6 /* of clusters: c0 to c5 */
#define N_MATERIALS 2 /* m0 and m1 */
#define N_SETS      3 /* 1 to 3 */
#define N_JOBS      32

struct ImportJob {
        bool runs;
        int cluster, set;
        bool has_ledger;
        ImportAction action;
        ImportJobHandlers handlers;
        const char *host;
        uint64_t end_at;
};

typedef struct Schedule {
        uint64_t seed, random_state;
        uint64_t now;
        unsigned step;
        unsigned parallel;
        ModelTimes times;
        unsigned start_errors, slow_forks; /* percent */
        ModelCluster clusters[N_NAMES];
        int sets[N_MATERIALS]; /* on disk */
        MaterialStatus materials[N_MATERIALS];
        Inventory *inventory;
        Scheduler *scheduler;
        ImportJob jobs[N_JOBS];
        uint64_t pass_at;   /* the time with which the pass began */
        unsigned n_started; /* by the pass */
        bool ends;          /* the sequence: until then no import may be killed */
        /* Instead of the comparison with the model; and before an outcome is delivered. */
        void (*on_start)(int cluster, const ImportTask *task);
        void (*on_end)(const ImportJob *job, Outcome *outcome);
} Schedule;

extern Schedule schedule;

/* Prints seed and step, and fails. */
#define HOLDS(condition) schedule_holds(condition, #condition, __FILE__, __LINE__)
void schedule_holds(bool holds, const char *text, const char *file, int line);

/* The same numbers for the same seed. Below `n`; and between two durations, small ones more
 * often. */
uint64_t schedule_random(uint64_t n);
bool schedule_chance(unsigned percent);
uint64_t schedule_duration(uint64_t minimum, uint64_t maximum);

unsigned schedule_count_importing(void); /* of gone clusters, too */
unsigned schedule_count_checking(void);

int schedule_set_of(const ModelCluster *cluster);

/* Makes inventory and scheduler, without a configuration, and frees them. */
void schedule_make(const InventoryHandlers *handlers);
void schedule_done(void);

/* What the manager does when something has happened to this cluster, or to all of this material. */
void schedule_mark(const Cluster *cluster);
void schedule_mark_material(int material);

/* Before each pass. */
void schedule_begin_pass(void);

/* Returns true if no slot is left for that. */
bool schedule_is_full(ModelKind kind);

/* Returns true if an import that a reload has left behind runs into the server of the cluster. */
bool schedule_is_busy(const ModelCluster *cluster);

/* Returns the job that ends first, or NULL. */
ImportJob *schedule_next_job(void);

/* Delivers a random outcome. */
void schedule_end(ImportJob *job);
