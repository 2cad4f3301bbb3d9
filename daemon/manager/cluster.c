#include "daemon/manager/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/import/import-job.h"
#include "daemon/manager/due-times.h"
#include "daemon/record/record-writer.h"

/* A check only reads the ledger and the replica status: it needs less time than an import. */
#define CLUSTER_CHECK_MAX_USEC (15 * USEC_PER_SEC)

/* The longest delay of a record while other imports run. */
#define CLUSTER_RECORD_DELAY_USEC (500 * USEC_PER_MSEC)

struct Cluster {
        const Config *daemon;
        ClusterConfig config;
        sd_event *event;
        cluster_changed_fn fn;
        void *userdata;
        ClusterStatus status;
        Record record;
        RecordWriter *writer;
        Replication replication;
        DueTimes due;
        char planned[REPORT_FINGERPRINT_MAX]; /* the set of the last plan; "": none */
        char forced[REPORT_FINGERPRINT_MAX];  /* the set that is imported anyway; "": none */
        PlanAction running;                   /* what the importer that runs was started for */
        bool stop_reported;                   /* CLUSTER_EVENT_STOPPED was raised */
        char importing_host[CONFIG_HOST_MAX]; /* the server of the import that runs */
        unsigned importing_port;
        bool moved; /* that is no longer the configured one */
        ImportJob *import, *check;
        ImportJob
                *stuck; /* one of them that cannot be killed yet: none is started before its end */
        SetInfo set;    /* of the last import that was started */
};

static void set_state(Cluster *cluster, ClusterState state)
{
        if (cluster->status.state == state)
                return;
        cluster->status.state = state;
        cluster->status.since_at_usec = clock_wall_usec();
        cluster->fn(cluster, CLUSTER_EVENT_STATE, NULL, cluster->userdata);
}

static void on_recorded(int error, void *userdata)
{
        Cluster *cluster = userdata;

        cluster->status.record_error = error;
        cluster->fn(cluster, CLUSTER_EVENT_RECORD, NULL, cluster->userdata);
}

static void forget_replication(Cluster *cluster)
{
        cluster->replication = (Replication){0};
        if (record_is_stopped(&cluster->record))
                replication_set_stopped(&cluster->replication, cluster->record.stop.at_usec);
}

int cluster_new(Cluster **ret, sd_event *event, const Config *daemon, const ClusterConfig *config,
        const Record *record, cluster_changed_fn fn, void *userdata)
{
        CLEANUP(cluster_freep) Cluster *cluster = calloc(1, sizeof(*cluster));
        int r;

        if (!cluster)
                return -ENOMEM;
        *cluster = (Cluster){.daemon = daemon,
                .config = *config,
                .event = sd_event_ref(event),
                .fn = fn,
                .userdata = userdata,
                .record = *record};
        (void)record_set_server(&cluster->record, config->host, config->port);
        r = record_writer_new(&cluster->writer, event, cluster->config.name, &cluster->record,
                CLUSTER_RECORD_DELAY_USEC, on_recorded, cluster);
        if (r < 0)
                return r;
        forget_replication(cluster);
        cluster->status = (ClusterStatus){
                .config = &cluster->config,
                .state = config->enabled ? CLUSTER_WAITING : CLUSTER_DISABLED,
                .since_at_usec = clock_wall_usec(),
                .record = &cluster->record,
                .replication = &cluster->replication,
        };
        *ret = TAKE(cluster);
        return 0;
}

Cluster *cluster_free(Cluster *cluster)
{
        if (!cluster)
                return NULL;
        import_job_free(cluster->check);
        import_job_free(cluster->import);
        import_job_free(cluster->stuck);
        record_writer_free(cluster->writer);
        sd_event_unref(cluster->event);
        free(cluster);
        return NULL;
}

/* What is asked no more, or asked of another server, is not known any more. */
static void forget_check(Cluster *cluster)
{
        cluster->check = import_job_free(cluster->check);
        cluster->status.check = (ClusterCheck){0};
        forget_replication(cluster);
}

void cluster_configure(Cluster *cluster, const Config *daemon, const ClusterConfig *config)
{
        cluster->daemon = daemon;
        if (cluster->config.replication != config->replication ||
                strcmp(cluster->config.ledger, config->ledger) != 0)
                forget_check(cluster);
        cluster->config = *config;
        if (!record_set_server(&cluster->record, config->host, config->port))
                return;
        forget_check(cluster);
        cluster->moved = cluster->import;
        due_times_reset(&cluster->due);
        record_writer_schedule(cluster->writer);
}

const ClusterStatus *cluster_status(const Cluster *cluster)
{
        return &cluster->status;
}

bool cluster_is_importing(const Cluster *cluster)
{
        return cluster->import;
}

bool cluster_is_importing_into(const Cluster *cluster, const char *host, unsigned port)
{
        return cluster->import && cluster->importing_port == port &&
                strcmp(cluster->importing_host, host) == 0;
}

bool cluster_is_checking(const Cluster *cluster)
{
        return cluster->check;
}

static void update_sync(Cluster *cluster, const char *fingerprint)
{
        uint64_t *since = &cluster->status.out_of_sync_since_usec;

        if (!fingerprint || strcmp(fingerprint, cluster->record.imported.fingerprint) == 0)
                *since = 0;
        else if (*since == 0)
                *since = clock_wall_usec();
}

/* Reports once that replication stays stopped, and once that it is started. An import that runs is
 * about to start it. */
static void report_stop(Cluster *cluster)
{
        bool stopped = record_is_stopped(&cluster->record);

        if (cluster->import || stopped == cluster->stop_reported)
                return;
        cluster->stop_reported = stopped;
        cluster->fn(cluster, stopped ? CLUSTER_EVENT_STOPPED : CLUSTER_EVENT_STARTED, NULL,
                cluster->userdata);
}

Plan cluster_plan(Cluster *cluster, const MaterialSet *set, uint64_t now_usec)
{
        const char *fingerprint = set->info.fingerprint[0] != '\0' ? set->info.fingerprint : NULL;
        PlanInput input = {
                .enabled = cluster->config.enabled,
                .importing = cluster->import,
                .stuck = cluster->stuck,
                .fingerprint = fingerprint,
                .record = &cluster->record,
                .retry_usec = cluster->due.retry_usec,
                .checks = cluster->config.replication != REPLICATION_IGNORE ||
                        cluster->config.ledger[0] != '\0',
                .check_usec = cluster->due.check_usec,
                .start_usec = cluster->due.start_usec,
        };
        Plan plan;

        if (strcmp(cluster->planned, set->info.fingerprint) != 0)
                text_set(cluster->planned, sizeof(cluster->planned), set->info.fingerprint);
        if (strcmp(cluster->forced, cluster->planned) != 0)
                cluster->forced[0] = '\0';
        input.forced = cluster->forced[0] != '\0';
        plan = plan_cluster(&input, now_usec);
        update_sync(cluster, cluster->config.enabled ? fingerprint : NULL);
        cluster->status.next_attempt_at_usec = 0;
        cluster->status.check.due = plan.action == PLAN_CHECK;
        if (plan.action == PLAN_DELAY && plan.not_before_usec != USEC_NEVER)
                cluster->status.next_attempt_at_usec =
                        clock_wall_usec() + (plan.not_before_usec - now_usec);
        set_state(cluster, plan_state(&plan, &cluster->record));
        report_stop(cluster); /* one that was left by a daemon before */
        return plan;
}

/* An import can end after the configuration was changed. */
static void update_replication(Cluster *cluster, const Outcome *outcome)
{
        replication_update(&cluster->replication, &outcome->replication,
                record_is_stopped(&cluster->record),
                cluster->config.replication != REPLICATION_IGNORE);
}

/* Replication that an attempt has left stopped is started again, with back-off. `outcome` is
 * that of a start, else NULL. */
static void update_start(Cluster *cluster, const Outcome *outcome)
{
        ClusterStart *start = &cluster->status.start;

        cluster_start_update(start, record_is_stopped(&cluster->record), outcome);
        due_times_after_start(&cluster->due, cluster->daemon, start->failures);
}

static void apply_attempt(Cluster *cluster, const Outcome *outcome)
{
        due_times_after_check(&cluster->due, cluster->daemon);
        cluster->status.check.error[0] = cluster->status.check.next_step[0] = '\0';
        record_apply(&cluster->record, &cluster->set, outcome, clock_wall_usec());
        update_replication(cluster, outcome);
        due_times_after_attempt(
                &cluster->due, cluster->daemon, outcome, cluster->record.attempt.failures);
        update_start(cluster, NULL);
        cluster->fn(cluster, CLUSTER_EVENT_ATTEMPT, outcome, cluster->userdata);
        report_stop(cluster);
        record_writer_schedule(cluster->writer);
}

/* A start says nothing of the set, and leaves its state and back-off as they are. */
static void apply_start(Cluster *cluster, const Outcome *outcome)
{
        if (record_update_stop(&cluster->record, outcome))
                record_writer_schedule(cluster->writer);
        update_replication(cluster, outcome);
        update_start(cluster, outcome);
        if (record_is_stopped(&cluster->record))
                cluster->fn(cluster, CLUSTER_EVENT_STOPPED, NULL, cluster->userdata);
        report_stop(cluster);
}

/* What the server before has answered says nothing of the one that is configured now. */
static void apply_elsewhere(Cluster *cluster, const Outcome *outcome)
{
        Outcome applied = *outcome;

        applied.effect = (ImportEffect){0};
        applied.ledger = (LedgerReading){0};
        applied.replication = (Replication){0};
        applied.server = (ServerInfo){0};
        apply_attempt(cluster, &applied);
        due_times_reset(&cluster->due);
        cluster->moved = false;
}

static ImportJob *let_go(Cluster *cluster, ImportJob *job)
{
        if (!job || !import_job_is_stuck(job))
                return import_job_free(job);
        cluster->stuck = job;
        return NULL;
}

static void on_released(void *userdata)
{
        Cluster *cluster = userdata;

        cluster->stuck = import_job_free(cluster->stuck);
        cluster->fn(cluster, CLUSTER_EVENT_END, NULL, cluster->userdata);
}

static void on_imported(const Outcome *outcome, void *userdata)
{
        Cluster *cluster = userdata;

        cluster->import = let_go(cluster, cluster->import);
        cluster->status.deadline_usec = 0;
        if (cluster->running == PLAN_START_REPLICATION && cluster->moved)
                cluster->moved = false;
        else if (cluster->running == PLAN_START_REPLICATION)
                apply_start(cluster, outcome);
        else if (cluster->moved)
                apply_elsewhere(cluster, outcome);
        else
                apply_attempt(cluster, outcome);
        cluster->fn(cluster, CLUSTER_EVENT_END, outcome, cluster->userdata);
}

/* The importer stops replication only after this has succeeded. */
static int on_stop(const RecordStop *stop, void *userdata)
{
        Cluster *cluster = userdata;
        RecordStop before = cluster->record.stop;
        int r;

        if (cluster->moved)
                return -ESTALE; /* the record is one of another server */
        cluster->record.stop = *stop;
        r = record_writer_write(cluster->writer);
        if (r < 0)
                cluster->record.stop = before;
        else
                forget_replication(cluster);
        return r;
}

void cluster_end_check(Cluster *cluster)
{
        cluster->check = import_job_free(cluster->check);
}

void cluster_abort_import(Cluster *cluster)
{
        Outcome outcome = {.kind = OUTCOME_UNKNOWN, .effect.in_doubt = true};

        if (!cluster->import)
                return;
        text_set(outcome.text, sizeof(outcome.text),
                "the service was stopped before the import ended");
        on_imported(&outcome, cluster); /* kills the importer */
}

static void on_checked(const Outcome *outcome, void *userdata)
{
        Cluster *cluster = userdata;
        Replication before = cluster->replication;
        const Replication *now = &cluster->replication;

        cluster->check = let_go(cluster, cluster->check);
        cluster->status.check.due = false;
        due_times_after_check(&cluster->due, cluster->daemon);
        if (cluster_check_update(&cluster->status.check, outcome))
                cluster->fn(cluster, CLUSTER_EVENT_CHECK, outcome, cluster->userdata);
        update_replication(cluster, outcome);
        if (replication_is_broken(now) != replication_is_broken(&before))
                cluster->fn(cluster, CLUSTER_EVENT_REPLICATION, outcome, cluster->userdata);
        else if (!replication_equal(now, &before))
                cluster->fn(cluster, CLUSTER_EVENT_STATE, NULL, cluster->userdata);
        if (record_update_server(&cluster->record, outcome)) {
                record_writer_schedule(cluster->writer);
                if (cluster->record.imported.fingerprint[0] == '\0')
                        cluster->fn(cluster, CLUSTER_EVENT_SERVER, outcome, cluster->userdata);
        }
        if (record_update_from_ledger(&cluster->record, outcome)) {
                record_writer_schedule(cluster->writer);
                cluster->fn(cluster, CLUSTER_EVENT_DRIFT, outcome, cluster->userdata);
        }
        cluster->fn(cluster, CLUSTER_EVENT_END, outcome, cluster->userdata);
}

static int start_job(Cluster *cluster, ImportJob **ret, const ImportTask *task,
        void (*ended)(const Outcome *outcome, void *userdata))
{
        const ImportJobHandlers handlers = {ended, on_stop, on_released, cluster};
        Outcome outcome;
        int r = import_job_start(ret, cluster->event, task, &handlers, &outcome);

        if (r < 0) /* a transient error: retried with back-off */
                ended(&outcome, cluster);
        return r;
}

static int start_check(Cluster *cluster, ImportTask *task)
{
        task->action = IMPORT_ACTION_CHECK;
        if (task->timeout_usec > CLUSTER_CHECK_MAX_USEC)
                task->timeout_usec = CLUSTER_CHECK_MAX_USEC;
        return start_job(cluster, &cluster->check, task, on_checked);
}

int cluster_start(Cluster *cluster, PlanAction action, const MaterialSet *set)
{
        ImportTask task = {
                .action = action == PLAN_RESTART_REPLICATION ? IMPORT_ACTION_RESTART_REPLICATION
                        : action == PLAN_START_REPLICATION   ? IMPORT_ACTION_START_REPLICATION
                                                             : IMPORT_ACTION_IMPORT,
                .cluster = &cluster->config,
                .payload_fd = set->payload_fd,
                .set = set->info,
                .newlines = cluster->record.newlines,
                .forced = cluster->forced[0] != '\0',
                .stopped = record_is_stopped(&cluster->record),
                .timeout_usec = cluster->daemon->import_timeout_usec,
        };
        int r;

        if (action == PLAN_CHECK)
                return start_check(cluster, &task);
        cluster->check = import_job_free(cluster->check);
        if (action != PLAN_START_REPLICATION) {
                cluster->set = set->info;
                cluster->forced[0] = '\0';
        }
        cluster->running = action;
        text_set(cluster->importing_host, sizeof(cluster->importing_host), cluster->config.host);
        cluster->importing_port = cluster->config.port;
        set_state(cluster, CLUSTER_IMPORTING);
        r = start_job(cluster, &cluster->import, &task, on_imported);
        if (cluster->import)
                cluster->status.deadline_usec = clock_boottime_usec() + task.timeout_usec;
        return r;
}

void cluster_retry_now(Cluster *cluster, bool force)
{
        due_times_reset(&cluster->due);
        record_writer_retry_now(cluster->writer);
        cluster->due.check_usec = 0;
        /* An import that runs already satisfies the request, unless it makes no CALL: because of
         * the ledger, or because it only restarts replication. */
        if (force && cluster->config.enabled && !cluster->stuck &&
                (!cluster->import || cluster->running != PLAN_IMPORT ||
                        cluster->config.ledger[0] != '\0'))
                text_set(cluster->forced, sizeof(cluster->forced), cluster->planned);
}

void cluster_flush(Cluster *cluster)
{
        record_writer_flush(cluster->writer);
}

bool cluster_flush_pending(Cluster *cluster)
{
        return record_writer_flush_pending(cluster->writer);
}

bool cluster_was_warned(const Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        return record_was_warned(&cluster->record, fingerprint, within_usec);
}

void cluster_set_warned(Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        record_set_warned(&cluster->record, fingerprint, within_usec);
        record_writer_schedule(cluster->writer);
}
