#pragma once

/*
 * Status info: the state of the daemon's materials and clusters, read from its JSON into values.
 *
 * Texts have passed common/text.h and are safe to display; a member that the JSON lacks, or has
 * with another type, is empty or 0. A state that this program does not have (of a newer daemon)
 * keeps its name in `state_text`. Each value also has its JSON as received. Times are wall clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json-reader.h"
#include "common/varlink.h"
#include "ctl/client/error-message.h"
#include "daemon/config/config.h"
#include "daemon/model/report.h"
#include "daemon/model/status.h"

#define STATUS_INFO_REASON_MAX 1024
#define STATUS_INFO_WORD_MAX   24

/* With rollout = canary. */
typedef struct RolloutInfo {
        char canary[CONFIG_NAME_MAX]; /* "": there is no wave */
        WaveState state;              /* _WAVE_STATE_MAX: unknown to this program */
        char reason[STATUS_INFO_REASON_MAX];
        uint64_t until_usec; /* 0: not known */
        uint64_t n_waiting;
} RolloutInfo;

typedef struct MaterialInfo {
        char name[CONFIG_NAME_MAX];
        char directory[CONFIG_PATH_MAX];
        char state_text[STATUS_INFO_WORD_MAX];
        MaterialState state; /* _MATERIAL_STATE_MAX: unknown to this program */
        Health health;       /* _HEALTH_MAX: unknown */
        char reason[STATUS_INFO_REASON_MAX];
        char next_step[STATUS_INFO_REASON_MAX]; /* "": the service has none */
        uint64_t since_usec;
        char fingerprint[REPORT_FINGERPRINT_MAX];
        bool has_certificate;
        Certificate certificate;
        Problem problems[REPORT_PROBLEMS_MAX]; /* rule _RULE_MAX: unknown to this program */
        size_t n_problems;
        RolloutInfo rollout;
        uint64_t not_responding_since_usec; /* 0: the file system answers */
        char watch[512];
        uint64_t missed_events, last_check_usec, last_change_usec;
        bool changed; /* an event brought another state or fingerprint */
        char *json;
} MaterialInfo;

/* Member "removal"; see type Removal. */
typedef struct RemovalInfo {
        bool known, running;
        char outcome[STATUS_INFO_WORD_MAX]; /* "": it runs */
        char reason[OUTCOME_TEXT_MAX];
        char next_step[STATUS_INFO_REASON_MAX];
} RemovalInfo;

typedef struct ClusterInfo {
        char name[CONFIG_NAME_MAX];
        char host[CONFIG_HOST_MAX];
        char material[CONFIG_NAME_MAX];
        char state_text[STATUS_INFO_WORD_MAX];
        ClusterState state; /* _CLUSTER_STATE_MAX: unknown to this program */
        Health health;      /* without its material; _HEALTH_MAX: unknown */
        char reason[STATUS_INFO_REASON_MAX];
        char next_step[STATUS_INFO_REASON_MAX]; /* "": the service has none */
        uint64_t since_usec, out_of_sync_since_usec;
        char imported[REPORT_FINGERPRINT_MAX];
        uint64_t imported_at_usec, last_attempt_usec, next_attempt_usec, attempts;
        Tristate in_use;
        char import_warning[STATUS_INFO_REASON_MAX]; /* "": none */
        Tristate roll_back;  /* there is a set to go back to; unknown: it is not configured */
        OutcomeKind outcome; /* _OUTCOME_KIND_MAX: none, or unknown to this program */
        RemovalInfo removal;
        char replication_mode[STATUS_INFO_WORD_MAX];
        Replication replication;
        bool changed; /* an event brought another state while the set on disk was the present one */
        bool repeated; /* the last event brought the same state, reason and import */
        char *json;
} ClusterInfo;

typedef struct StatusInfo {
        char summary[SUMMARY_TEXT_MAX];
        char refused[CONFIG_PROBLEM_SIZE]; /* why the last reload was; "": it was not */
        Health health;                     /* _HEALTH_MAX: unknown */
        int64_t pid;
        MaterialInfo *materials;
        size_t n_materials;
        ClusterInfo *clusters;
        size_t n_clusters;
} StatusInfo;

#define STATUS_INFO_NULL ((StatusInfo){.health = _HEALTH_MAX})

/* Reads the answer of GetStatus. -EBADMSG: `status` is not one. */
int status_info_load(StatusInfo *ret, const JsonValue *status);
void status_info_done(StatusInfo *info);

/* Adds or replaces one material or cluster. `changed`: the value is an event, not a part of the
 * present state. -EBADMSG: `value` has no name or no state. */
int status_info_put_material(StatusInfo *info, const JsonValue *value, bool changed);
int status_info_put_cluster(StatusInfo *info, const JsonValue *value, bool changed);
void status_info_remove_material(StatusInfo *info, const char *name);
void status_info_remove_cluster(StatusInfo *info, const char *name);

/* Return NULL if there is none of that name. */
const MaterialInfo *status_info_material(const StatusInfo *info, const char *name);
const ClusterInfo *status_info_cluster(const StatusInfo *info, const char *name);

/* Returns the health of one cluster with its material. */
Health status_info_health(const StatusInfo *info, const ClusterInfo *cluster);

/* Returns true if the set on disk is imported and a forced import of it has failed since. */
bool status_info_import_failed(const ClusterInfo *cluster);

/* Calls GetStatus. Returns EXIT_SUCCESS, or EXIT_UNREACHABLE after an error message. `ret` owns the
 * JSON of the whole answer. */
int status_info_fetch(VarlinkReply *ret, StatusInfo *ret_info, const char *socket);
