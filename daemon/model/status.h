#pragma once

/*
 * Status: the state of materials, clusters and the manager as values, for the status socket, the
 * journal and the metrics, and the health that follows from them.
 *
 * The module that reports a status owns it and everything it points to. Times that end in _at_usec
 * are wall clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/model/record.h"
#include "daemon/model/report.h"

typedef enum Health {
        HEALTH_OK,
        HEALTH_WARNING,  /* retried, or there is time to act */
        HEALTH_CRITICAL, /* someone must act now */
        _HEALTH_MAX,
} Health;

const char *health_to_string(Health health);

#define WATCH_TEXT_MAX 320

/* What the watch process of a material has reported. */
typedef struct WatchStatus {
        char watch[WATCH_TEXT_MAX]; /* "inotify", or what is used instead and why */
        bool watching;            /* every directory of the path has a watch that reports changes */
        unsigned missed_events;   /* changes that the poll found while `watching` */
        uint64_t changed_at_usec; /* wall clock; 0: none was found since the start */
        uint64_t checked_at_usec; /* wall clock of the last comparison */
} WatchStatus;

#define WATCH_END_MAX 128

/* The watch process itself. */
typedef struct WatchProcessStatus {
        unsigned restarts;
        char end[WATCH_END_MAX]; /* of the process before; "": there was none */
        uint64_t deadline_usec;  /* boot time of the next look at it; USEC_NEVER: none */
        uint64_t not_responding_since_at_usec; /* wall clock; 0: the file system answers */
} WatchProcessStatus;

/* Of a set on its way into the clusters of a material, with rollout = canary. */
typedef enum WaveState {
        WAVE_NONE,      /* no wave: rollout = parallel, no good set, or no enabled cluster */
        WAVE_IMPORTING, /* the canary does not have the set yet */
        WAVE_HOLDING,   /* the canary has the set, which is not proven yet */
        WAVE_OPEN,      /* the set is proven */
        WAVE_STOPPED,   /* the canary failed */
        _WAVE_STATE_MAX,
} WaveState;

const char *wave_state_to_string(WaveState state);

typedef struct WaveStatus {
        WaveState state;
        char canary[CONFIG_NAME_MAX];
        bool queued; /* the canary waits: it is proving the set before */
        uint64_t hold_usec, held_usec;
        uint64_t since_at_usec;        /* of the first good reading of replication; 0: none yet */
        uint64_t until_usec;           /* boot time, expected end of the hold; 0: not known */
        uint64_t check_delay_usec;     /* of the canary, from its last check; 0: as usual */
        char reason[OUTCOME_TEXT_MAX]; /* why it failed, or is delayed; "": neither */
        unsigned n_waiting;            /* clusters that it has not reached */
} WaveStatus;

/* Returns true if both differ at most in the progress of the hold. */
bool wave_status_equal(const WaveStatus *a, const WaveStatus *b);

typedef struct MaterialStatus {
        const MaterialConfig *config;
        bool inspected; /* false: the first inspection has not ended yet */
        MaterialState state;
        uint64_t since_usec; /* boot time, in this state */
        const Report *report;
        const WatchStatus *watch;
        const WatchProcessStatus *watch_process;
        uint64_t not_responding_since_at_usec; /* the file system, to any process; 0: it answers */
        char error[256]; /* why the inspection itself failed; "": it did not */
        WaveStatus wave;
} MaterialStatus;

typedef enum ClusterState {
        CLUSTER_WAITING,   /* no valid set on disk, or its wave has not reached the cluster */
        CLUSTER_IMPORTING, /* an importer runs, or is about to */
        CLUSTER_CURRENT,   /* the server acknowledged the set on disk */
        CLUSTER_RETRYING,  /* a transient error; back-off runs */
        CLUSTER_HELD,      /* an operator must act */
        CLUSTER_DISABLED,
        _CLUSTER_STATE_MAX,
} ClusterState;

const char *cluster_state_to_string(ClusterState state);

/* The check of a current cluster between imports. */
typedef struct ClusterCheck {
        bool due;            /* runs, or waits for its turn */
        KeptOutcome failure; /* of the last check; not known: it passed */
} ClusterCheck;

/* The start of replication that an import has stopped; see Record.stop. */
typedef struct ClusterStart {
        unsigned failures;   /* attempts in a row that left it stopped */
        KeptOutcome failure; /* of the last start without a set */
} ClusterStart;

typedef struct ClusterStatus {
        const ClusterConfig *config;
        ClusterState state;
        uint64_t since_usec;             /* boot time, in this state */
        uint64_t out_of_sync_since_usec; /* boot time; a valid set is not imported; 0: it is */
        const Record *record;
        const Replication *replication;
        uint64_t read_usec; /* boot time of its reading; 0: none since the start and the import */
        uint64_t next_attempt_usec; /* boot time; 0: none is due */
        uint64_t deadline_usec;     /* boot time, of the running importer; 0: none runs */
        Tristate roll_back;         /* there is a set for it; unknown: it is not configured */
        int record_error;           /* an errno: the record could not be written; 0: written */
        ClusterCheck check;
        ClusterStart start;
        bool removing; /* the removal of the client material runs, or waits for its turn */
} ClusterStatus;

typedef enum ClusterEvent {
        CLUSTER_EVENT_STATE,   /* the state, or the replica's status in a check */
        CLUSTER_EVENT_ATTEMPT, /* an attempt ended and is in the record */
        CLUSTER_EVENT_RECORD,  /* record_error changed */
        CLUSTER_EVENT_CHECK,   /* check.failure was set or cleared; with the check's outcome */
        CLUSTER_EVENT_SERVER,  /* another server answers in a check; same outcome */
        CLUSTER_EVENT_DRIFT,   /* the ledger names another set than the record; same outcome */
        CLUSTER_EVENT_STOPPED, /* an attempt, or a daemon before, has left replication stopped */
        CLUSTER_EVENT_STARTED, /* replication that was left stopped runs again */
        CLUSTER_EVENT_REMOVAL, /* a removal of the client material ended, see Record.removal */
        CLUSTER_EVENT_REPLICATION, /* replication fails, is stopped by a person, or is neither any more;
                                      same outcome */
        CLUSTER_EVENT_HEAL, /* the imported set is imported again: replication fails with TLS */
        CLUSTER_EVENT_END,  /* an import or check ended, or could not start, also if nothing
                                      else is to be reported: the next action may be due; the
                                      outcome is NULL if it was reported before */
} ClusterEvent;

#define SUMMARY_TEXT_MAX 1024 /* bytes of the summary of a manager, with NUL */

typedef struct ManagerStatus {
        const MaterialStatus *const *materials;
        size_t n_materials;
        const ClusterStatus *const *clusters;
        size_t n_clusters;
        const ConfigProblem *refused; /* why the last reload was refused; NULL: it was not */
        uint64_t now_usec;            /* wall clock */
} ManagerStatus;

/* After a check. Returns true if the error was set or cleared. */
bool cluster_check_update(ClusterCheck *check, const Outcome *outcome);

/* After an attempt, which leaves replication stopped by an import or not. `outcome` is that of a
 * start without a set, whose error is shown; NULL: of an import. */
void cluster_start_update(ClusterStart *start, bool is_stopped, const Outcome *outcome);

/* The health of one material by its state, whether its file system answers, and its wave. */
Health health_of_material(MaterialState state, bool responding, WaveState wave);

/* The health of one cluster, without its material. Replication that is stopped for an import counts
 * when the import has ended. `has_warning`: the cluster has an error that neither shows. */
Health health_of_cluster(ClusterState state, const Replication *replication, bool has_warning);

/* Returns true if the set on disk is imported and a forced import of it has failed since.
 * `same_set`: the last attempt was made with the set that is imported. */
bool cluster_reimport_failed(ClusterState state, OutcomeKind last_outcome, bool same_set);
