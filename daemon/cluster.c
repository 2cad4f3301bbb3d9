#include "daemon/cluster.h"

#include <sys/random.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/clerk.h"
#include "daemon/importer.h"
#include "daemon/job.h"

struct Cluster {
        ClusterConfig config;
        sd_event *event;
        cluster_changed_fn fn;
        void *userdata;
        ClusterStatus status;
        Record record;
        Clerk *clerk;
        Replication replication;
        uint64_t retry_usec; /* boot time */
        bool forced;
        Job *job;

        /* Of the attempt that runs. */
        PlanRetry retry;
        ImporterTask task;
        char fingerprint[REPORT_FINGERPRINT_MAX];
        uint64_t not_after_usec;
};

const char *cluster_state_to_string(ClusterState state)
{
        static const char *const names[_CLUSTER_STATE_MAX] = {
                [CLUSTER_WAITING] = "waiting",
                [CLUSTER_IMPORTING] = "importing",
                [CLUSTER_CURRENT] = "current",
                [CLUSTER_RETRYING] = "retrying",
                [CLUSTER_HELD] = "held",
                [CLUSTER_DISABLED] = "disabled",
        };

        return (unsigned)state < _CLUSTER_STATE_MAX ? names[state] : "";
}

static void set_state(Cluster *cluster, ClusterState state)
{
        if (cluster->status.state == state)
                return;
        cluster->status.state = state;
        cluster->status.since_at_usec = clock_wall_usec();
        cluster->fn(cluster, CLUSTER_NEWS_STATE, NULL, cluster->userdata);
}

static void on_recorded(int error, void *userdata)
{
        Cluster *cluster = userdata;

        cluster->status.record_error = error;
        cluster->fn(cluster, CLUSTER_NEWS_RECORD, NULL, cluster->userdata);
}

int cluster_new(Cluster **ret, sd_event *event, const ClusterConfig *config, const Record *record,
        cluster_changed_fn fn, void *userdata)
{
        CLEANUP(cluster_freep) Cluster *cluster = calloc(1, sizeof(*cluster));
        int r;

        if (!cluster)
                return -ENOMEM;
        *cluster = (Cluster){.config = *config,
                .event = sd_event_ref(event),
                .fn = fn,
                .userdata = userdata,
                .record = *record};
        r = clerk_new(&cluster->clerk, event, cluster->config.name, &cluster->record, on_recorded,
                cluster);
        if (r < 0)
                return r;
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
        cluster->job = job_free(cluster->job);
        clerk_free(cluster->clerk);
        sd_event_unref(cluster->event);
        free(cluster);
        return NULL;
}

void cluster_configure(Cluster *cluster, const ClusterConfig *config)
{
        cluster->config = *config;
}

const ClusterStatus *cluster_status(const Cluster *cluster)
{
        return &cluster->status;
}

bool cluster_is_busy(const Cluster *cluster)
{
        return cluster->job;
}

static ClusterState state_of_delay(const Record *record)
{
        return outcome_is_passing(record->outcome, record->sql_errno) ? CLUSTER_RETRYING
                                                                      : CLUSTER_HELD;
}

static void note_sync(Cluster *cluster, const char *fingerprint)
{
        uint64_t *since = &cluster->status.out_of_sync_since_usec;

        if (!fingerprint || strcmp(fingerprint, cluster->record.imported_fingerprint) == 0)
                *since = 0;
        else if (*since == 0)
                *since = clock_wall_usec();
}

Plan cluster_plan(Cluster *cluster, const MaterialSet *set, uint64_t now_usec)
{
        PlanInput input = {
                .enabled = cluster->config.enabled,
                .fingerprint = set->fingerprint,
                .record = &cluster->record,
                .retry_usec = cluster->retry_usec,
                .forced = cluster->forced,
        };
        Plan plan = plan_cluster(&input, now_usec);

        note_sync(cluster, cluster->config.enabled ? set->fingerprint : NULL);
        cluster->status.next_attempt_at_usec = 0;
        switch (plan.action) {
        case PLAN_NOTHING:
                set_state(cluster, CLUSTER_DISABLED);
                break;
        case PLAN_WAIT:
                set_state(cluster, CLUSTER_WAITING);
                break;
        case PLAN_KEEP:
                set_state(cluster, CLUSTER_CURRENT);
                break;
        case PLAN_IMPORT:
        case PLAN_RECONNECT:
                set_state(cluster, CLUSTER_IMPORTING);
                break;
        case PLAN_DELAY:
                cluster->status.next_attempt_at_usec =
                        clock_wall_usec() + (plan.not_before_usec - now_usec);
                set_state(cluster, state_of_delay(&cluster->record));
                break;
        case _PLAN_ACTION_MAX:
                break;
        }
        return plan;
}

static uint32_t random_number(void)
{
        uint32_t number = 0;

        /* Jitter without entropy is no jitter, and harmless. */
        if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
                number = 0;
        return number;
}

static void apply(Cluster *cluster, const Outcome *outcome)
{
        record_apply(&cluster->record, cluster->fingerprint, outcome, clock_wall_usec());
        if (outcome->committed)
                cluster->record.imported_not_after_usec = cluster->not_after_usec;
        if (outcome->replication.known)
                cluster->replication = outcome->replication;
        cluster->retry_usec = clock_boottime_usec() +
                plan_retry_delay_usec(
                        &cluster->retry, outcome, cluster->record.attempts, random_number());
        cluster->fn(cluster, CLUSTER_NEWS_ATTEMPT, outcome, cluster->userdata);
        clerk_write(cluster->clerk);
}

static void on_imported(Job *job, JobEnd end, int detail, const void *result, void *userdata)
{
        Cluster *cluster = userdata;
        Outcome outcome = {0};

        switch (end) {
        case JOB_DONE:
                memcpy(&outcome, result, sizeof(outcome));
                break;
        case JOB_TIMED_OUT:
                outcome.kind = OUTCOME_TIMED_OUT;
                text_set(outcome.text, sizeof(outcome.text),
                        "no end within import-timeout; the importer was killed");
                break;
        case JOB_FAILED:
                outcome.kind = OUTCOME_CRASHED;
                text_format(outcome.text, sizeof(outcome.text), "the importer failed: %s",
                        strerror(detail));
                break;
        case JOB_CRASHED:
        case _JOB_END_MAX:
                outcome.kind = OUTCOME_CRASHED;
                text_format(outcome.text, sizeof(outcome.text),
                        "the importer died without a word (signal %d)", detail);
                break;
        }
        cluster->job = job_free(job);
        cluster->status.deadline_usec = 0;
        apply(cluster, &outcome);
}

static int run_importer(void *result, const void *task)
{
        return importer_run(result, task);
}

int cluster_start(Cluster *cluster, const Config *config, PlanAction action, const MaterialSet *set)
{
        JobSpec spec = {
                .name = "binlog-import",
                .run = run_importer,
                .task = &cluster->task,
                .result_size = sizeof(Outcome),
                .keep = {set->payload_fd},
                .n_keep = 1,
                .deadline_usec = config->import_timeout_usec,
        };
        Outcome outcome = {.kind = OUTCOME_CRASHED};
        int r;

        cluster->task = (ImporterTask){
                .cluster = &cluster->config,
                .payload_fd = set->payload_fd,
                .newlines = cluster->record.newlines,
                .reconnect_only = action == PLAN_RECONNECT,
                .timeout_usec = config->import_timeout_usec,
        };
        cluster->retry = (PlanRetry){
                config->retry_min_usec, config->retry_max_usec, config->retry_held_usec};
        text_set(cluster->fingerprint, sizeof(cluster->fingerprint), set->fingerprint);
        cluster->not_after_usec = set->not_after_usec;
        cluster->forced = false;
        set_state(cluster, CLUSTER_IMPORTING);
        r = job_start(&cluster->job, cluster->event, &spec, on_imported, cluster);
        if (r == 0) {
                cluster->status.deadline_usec = clock_boottime_usec() + spec.deadline_usec;
                return 0;
        }
        /* No process to be had is a passing fault like any other. */
        text_format(outcome.text, sizeof(outcome.text), "the importer could not start: %s",
                strerror(-r));
        apply(cluster, &outcome);
        return r;
}

void cluster_hurry(Cluster *cluster, bool force)
{
        cluster->retry_usec = 0;
        cluster->forced = cluster->forced || force;
}

bool cluster_was_warned(const Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        return strcmp(cluster->record.warned_fingerprint, fingerprint) == 0 &&
                cluster->record.warned_within_usec <= within_usec;
}

void cluster_note_warning(Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        text_set(cluster->record.warned_fingerprint, sizeof(cluster->record.warned_fingerprint),
                fingerprint);
        cluster->record.warned_within_usec = within_usec;
        clerk_write(cluster->clerk);
}
