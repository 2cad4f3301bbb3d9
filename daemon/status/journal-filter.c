#include "daemon/status/journal-filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/status/journal-cluster.h"
#include "daemon/status/journal.h"
#include "daemon/status/summary-material.h"

typedef struct LoggedState {
        char material[CONFIG_NAME_MAX];
        bool state_logged; /* false: state and fingerprint are unset */
        MaterialState state;
        char fingerprint[REPORT_FINGERPRINT_MAX];
        uint64_t within_usec; /* the expiry warning logged for that set; 0: none */
        bool polling, not_responding;
        unsigned restarts; /* of the watch process */
        WaveStatus wave;
        WaveStatus last_wave; /* the same, or the one before if there is none now */
} LoggedState;

struct JournalFilter {
        journal_filter_expiry_fn fn;
        void *userdata;
        LoggedState *logged;
        size_t n_logged;
};

int journal_filter_new(JournalFilter **ret, journal_filter_expiry_fn fn, void *userdata)
{
        JournalFilter *filter = calloc(1, sizeof(*filter));

        if (!filter)
                return -ENOMEM;
        *filter = (JournalFilter){.fn = fn, .userdata = userdata};
        *ret = filter;
        return 0;
}

JournalFilter *journal_filter_free(JournalFilter *filter)
{
        if (!filter)
                return NULL;
        free(filter->logged);
        free(filter);
        return NULL;
}

/* Returns NULL without memory; a repeated message is then better than none. */
static LoggedState *logged_state(JournalFilter *filter, const char *material)
{
        LoggedState *logged;

        for (size_t i = 0; i < filter->n_logged; i++)
                if (strcmp(filter->logged[i].material, material) == 0)
                        return &filter->logged[i];
        if (!GROW(filter->logged, filter->n_logged))
                return NULL;
        logged = &filter->logged[filter->n_logged++];
        *logged = (LoggedState){0};
        text_set(logged->material, sizeof(logged->material), material);
        return logged;
}

static bool log_expiry(JournalFilter *filter, LoggedState *logged, const MaterialStatus *material)
{
        const Report *report = material->report;
        bool reached =
                logged->within_usec == 0 || report->expires_within_usec < logged->within_usec;

        if (!material->inspected || material->state != MATERIAL_STATE_EXPIRING || !reached)
                return false;
        logged->within_usec = report->expires_within_usec;
        if (filter->fn(material->config->name, report->fingerprint, logged->within_usec,
                    filter->userdata))
                journal_material_expiring(material);
        return true;
}

/* A process that ends again and again is logged at every power of two. */
static bool log_watch_process(LoggedState *logged, const MaterialStatus *material)
{
        bool not_responding = material->not_responding_since_at_usec > 0;
        unsigned restarts = material->watch_process->restarts;
        bool changed = logged->not_responding != not_responding;

        if (restarts != logged->restarts && (restarts & (restarts - 1)) == 0)
                journal_watch_restarted(material);
        logged->restarts = restarts;
        if (changed)
                journal_file_system(material);
        logged->not_responding = not_responding;
        return changed;
}

/* A wave that is open at the start was logged before. */
static bool is_wave_event(const WaveStatus *before, const WaveStatus *now)
{
        switch (now->state) {
        case WAVE_HOLDING:
                return now->since_at_usec > 0 &&
                        (before->state != WAVE_HOLDING || before->since_at_usec == 0);
        case WAVE_OPEN:
                return before->state != WAVE_OPEN && before->state != WAVE_NONE;
        case WAVE_STOPPED:
                return before->state != WAVE_STOPPED;
        case WAVE_NONE:
        case WAVE_IMPORTING:
        case _WAVE_STATE_MAX:
                break;
        }
        return false;
}

/* A set that goes and comes back begins no wave. */
static bool log_wave(LoggedState *logged, const MaterialStatus *material)
{
        const WaveStatus *wave = &material->wave;
        bool changed = !wave_status_equal(wave, &logged->wave);

        logged->wave = *wave;
        if (wave->state == WAVE_NONE)
                return changed;
        if (is_wave_event(&logged->last_wave, wave))
                journal_wave(material);
        logged->last_wave = *wave;
        return changed;
}

bool journal_filter_material(JournalFilter *filter, const MaterialStatus *material)
{
        const char *fingerprint = material->report->fingerprint;
        char reason[PROBLEM_TEXT_MAX + 64];
        LoggedState unlogged = {0};
        LoggedState *logged = logged_state(filter, material->config->name);
        bool changed = false;

        if (!logged)
                logged = &unlogged;
        /* Before the first report nothing is known of the path. */
        if (material->watch->checked_at_usec > 0 && logged->polling == material->watch->watching) {
                logged->polling = !material->watch->watching;
                journal_watch(material);
                changed = true;
        }
        changed |= log_watch_process(logged, material);
        if (!material->inspected)
                return changed;
        if (!logged->state_logged || logged->state != material->state ||
                strcmp(logged->fingerprint, fingerprint) != 0) {
                if (strcmp(logged->fingerprint, fingerprint) != 0)
                        logged->within_usec = 0;
                logged->state_logged = true;
                logged->state = material->state;
                text_set(logged->fingerprint, sizeof(logged->fingerprint), fingerprint);
                summary_material_reason(reason, sizeof(reason), material);
                journal_material(material, reason);
                changed = true;
        }
        changed |= log_wave(logged, material);
        return log_expiry(filter, logged, material) || changed;
}

void journal_filter_forget_material(JournalFilter *filter, const char *name)
{
        for (size_t i = 0; i < filter->n_logged; i++)
                if (strcmp(filter->logged[i].material, name) == 0) {
                        filter->logged[i] = filter->logged[--filter->n_logged];
                        return;
                }
}

/* The first of a series, and every one whose number is a power of two. */
static bool is_logged(unsigned failures)
{
        return (failures & (failures - 1)) == 0;
}

/* The last attempt is the newest entry of the history. */
static void log_attempt(const ClusterStatus *cluster, const Outcome *outcome)
{
        HistoryEntry last = {.count = 1};

        (void)history_read(&last, 1, cluster->record->history);
        if (outcome->kind == OUTCOME_ALREADY_CURRENT)
                journal_already_current(cluster, outcome);
        else if (outcome_is_success(outcome->kind))
                journal_import_succeeded(cluster, outcome);
        else if (is_logged(last.count))
                journal_import_failed(cluster, outcome);
}

void journal_filter_cluster(
        const ClusterStatus *cluster, ClusterEvent event, const Outcome *outcome)
{
        switch (event) {
        case CLUSTER_EVENT_STATE:
                break; /* its cause is logged, or it is in status only */
        case CLUSTER_EVENT_END:
                break; /* what it changed is an event of its own */
        case CLUSTER_EVENT_ATTEMPT:
                log_attempt(cluster, outcome);
                break;
        case CLUSTER_EVENT_RECORD:
                if (cluster->record_error == 0)
                        journal_record_written(cluster->config->name);
                else
                        journal_record_unwritable(cluster->config->name, cluster->record_error);
                break;
        case CLUSTER_EVENT_CHECK:
                journal_check(cluster, outcome);
                break;
        case CLUSTER_EVENT_SERVER:
                journal_server_changed(cluster, outcome);
                break;
        case CLUSTER_EVENT_DRIFT:
                journal_drift(cluster, outcome);
                break;
        case CLUSTER_EVENT_STOPPED:
                if (is_logged(cluster->start.failures))
                        journal_replication_stopped(cluster);
                break;
        case CLUSTER_EVENT_STARTED:
                journal_replication_started(cluster);
                break;
        case CLUSTER_EVENT_REMOVAL:
                journal_removal(cluster, outcome);
                break;
        case CLUSTER_EVENT_REPLICATION:
                journal_replication(cluster);
                break;
        case CLUSTER_EVENT_HEAL:
                journal_replication_healing(cluster);
                break;
        }
}
