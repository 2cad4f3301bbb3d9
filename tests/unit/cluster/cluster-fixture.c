#include "tests/unit/cluster/cluster-fixture.h"

#include "tests/unit/test.h"

#include <sys/random.h>

#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/record/record-file.h"

ClusterFixture fixture;

uint64_t clock_boottime_usec(void)
{
        return fixture.now;
}

uint64_t clock_wall_usec(void)
{
        return WALL + fixture.rebooted + fixture.now;
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
        memset(buffer, 0, size);
        return (ssize_t)size;
}

int import_job_start(ImportJob **ret, sd_event *event, const ImportTask *task,
        const ImportJobHandlers *handlers, Outcome *ret_outcome)
{
        ImportJob *job = task->action == IMPORT_ACTION_CHECK ? &fixture.check : &fixture.import;

        assert_false(job->running);
        if (fixture.start_error < 0) {
                *ret_outcome = (Outcome){.kind = OUTCOME_CRASHED};
                return fixture.start_error;
        }
        *job = (ImportJob){.task = *task,
                .handlers = *handlers,
                .host = task->cluster->login.host,
                .port = task->cluster->login.port,
                .running = true};
        *ret = job;
        return 0;
}

bool import_job_is_into(const ImportJob *job, const char *host, unsigned port)
{
        return job->port == port && strcmp(job->host, host) == 0;
}

bool import_job_is_stuck(const ImportJob *job)
{
        return job->stuck;
}

ImportJob *import_job_free(ImportJob *job)
{
        if (job)
                job->running = false;
        return NULL;
}

int record_writer_new(RecordWriter **ret, sd_event *event, const char *cluster,
        const Record *record, uint64_t delay_usec, unsigned *n_unwritten, record_writer_fn fn,
        void *userdata)
{
        assert_string_equal(cluster, "orders");
        fixture.writer = (RecordWriter){.fn = fn, .userdata = userdata};
        *ret = &fixture.writer;
        return 0;
}

RecordWriter *record_writer_free(RecordWriter *writer)
{
        return NULL;
}

void record_writer_schedule(RecordWriter *writer)
{
        writer->n_scheduled++;
}

void record_writer_retry_now(RecordWriter *writer)
{
        writer->n_retries++;
}

int record_writer_write(RecordWriter *writer)
{
        writer->n_written++;
        return fixture.write_error;
}

void record_writer_flush(RecordWriter *writer)
{
}

bool record_writer_flush_pending(RecordWriter *writer)
{
        return false;
}

static void on_changed(Cluster *cluster, ClusterEvent event, const Outcome *outcome, void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        if (event != CLUSTER_EVENT_END)
                assert_int_equal(!outcome,
                        event == CLUSTER_EVENT_STATE || event == CLUSTER_EVENT_RECORD ||
                                event == CLUSTER_EVENT_STOPPED || event == CLUSTER_EVENT_STARTED ||
                                event == CLUSTER_EVENT_HEAL);
        fixture.n_events[event]++;
}

static Config *next_config(void)
{
        size_t i = fixture.n_configured++ % ARRAY_SIZE(fixture.in_force);
        unsigned n_refs = fixture.in_force[i].n_refs;

        fixture.in_force[i] = fixture.config;
        fixture.in_force[i].n_refs = n_refs;
        fixture.in_force[i].clusters = &fixture.cluster_in_force[i];
        fixture.in_force[i].n_clusters = 1;
        fixture.cluster_in_force[i] = fixture.cluster_config;
        return &fixture.in_force[i];
}

int fixture_make_cluster(Record *record)
{
        Config *config = next_config();
        int r;

        fixture.owner.changed = on_changed;
        fixture.owner.userdata = &fixture;
        r = cluster_new(&fixture.cluster, &fixture.owner, config, config->clusters, record);

        if (r == 0)
                fixture.status = cluster_status(fixture.cluster);
        return r;
}

int fixture_make(void **state)
{
        fixture = (ClusterFixture){
                .now = USEC_PER_DAY,
                .config = {.import_timeout_usec = USEC_PER_MIN,
                        .retry_min_usec = RETRY_MIN,
                        .retry_max_usec = RETRY_MAX,
                        .retry_held_usec = RETRY_HELD,
                        .check_interval_usec = CHECK_INTERVAL},
                .cluster_config = {.name = "orders",
                        .login.host = "db.example",
                        .login.port = 3306,
                        .replication = REPLICATION_OBSERVE,
                        .ledger = "",
                        .enabled = true},
        };
        fixture_put_on_disk(A);
        return fixture_make_cluster(&RECORD_NULL);
}

int fixture_done(void **state)
{
        fixture.cluster = cluster_free(fixture.cluster);
        assert_null(fixture.owner.memory.with_room);
        if (fixture.owner.counts.n_importing > 0 || fixture.owner.counts.n_checking > 0)
                return -1;
        return fixture.import.running || fixture.check.running ? -1 : 0;
}

void fixture_put_on_disk(const char *fingerprint)
{
        SealedSet *set = &fixture.sets[fingerprint[0] == 'b'];

        fixture.set = NULL;
        if (fingerprint[0] == '\0')
                return;
        fixture.set = set;
        if (set->n_owners > 0)
                return;
        *set = (SealedSet){
                .n_owners = 1, .info.not_after_usec = WALL + 30 * USEC_PER_DAY, .payload_fd = -1};
        text_set(set->info.fingerprint, REPORT_FINGERPRINT_MAX, fingerprint);
}

void fixture_configure(void)
{
        Config *config = next_config();

        cluster_configure(fixture.cluster, config, config->clusters);
}

Record fixture_record(void)
{
        CLEANUP(freep) char *text = NULL;
        Record record;

        assert_int_equal(record_format(&text, fixture.status->record), 0);
        assert_int_equal(record_parse(&record, text, strlen(text)), 0);
        return record;
}

void fixture_restart(void)
{
        CLEANUP(record_done) Record record = fixture_record();

        cluster_free(fixture.cluster);
        assert_int_equal(fixture_make_cluster(&record), 0);
}

void fixture_expect(PlanAction action, ClusterState state)
{
        Plan plan = cluster_plan(fixture.cluster, fixture.set, fixture.wave, fixture.now);

        assert_int_equal(plan.action, action);
        assert_int_equal(fixture.status->state, state);
}

uint64_t fixture_not_before(void)
{
        return cluster_plan(fixture.cluster, fixture.set, fixture.wave, fixture.now)
                .not_before_usec;
}

int fixture_start(PlanAction action)
{
        fixture_expect(action, action == PLAN_CHECK ? CLUSTER_CURRENT : CLUSTER_IMPORTING);
        return cluster_start(fixture.cluster, action, fixture.set);
}

void fixture_end(ImportJob *job, const Outcome *outcome)
{
        assert_true(job->running);
        job->handlers.ended(outcome, job->handlers.userdata);
        assert_false(job->running);
}

void fixture_import(OutcomeKind kind)
{
        Outcome outcome = {.kind = kind, .effect.committed = kind == OUTCOME_IMPORTED};

        assert_int_equal(fixture_start(PLAN_IMPORT), 0);
        fixture_end(&fixture.import, &outcome);
}

void fixture_start_check(void)
{
        fixture.now += 2 * CHECK_INTERVAL;
        assert_int_equal(fixture_start(PLAN_CHECK), 0);
}

void fixture_check(const Outcome *outcome)
{
        fixture_start_check();
        fixture_end(&fixture.check, outcome);
}
