#pragma once

/*
 * View: what the daemon says of its materials and clusters, as values fit to be shown.
 *
 * Texts have passed common/text.h, so they can stand on a terminal; what an answer lacks is empty
 * or 0. A state that this program does not know keeps its word in `state_text`. The answer as it
 * came is kept as a JSON document beside the values.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json-reader.h"
#include "common/varlink.h"
#include "daemon/config/config.h"
#include "daemon/model/report.h"
#include "daemon/model/status.h"

#define STATUS_INFO_REASON_MAX 1024
#define STATUS_INFO_WORD_MAX   24

typedef struct MaterialInfo {
        char name[CONFIG_NAME_MAX];
        char directory[CONFIG_PATH_MAX];
        char state_text[STATUS_INFO_WORD_MAX];
        MaterialState state; /* _MATERIAL_STATE_MAX: unknown to this program */
        char reason[STATUS_INFO_REASON_MAX];
        uint64_t since_usec; /* wall clock, as all here */
        char fingerprint[REPORT_FINGERPRINT_MAX];
        bool has_certificate;
        Certificate certificate;
        Problem problems[REPORT_PROBLEMS_MAX]; /* rule _RULE_MAX: unknown to this program */
        size_t n_problems;
        char watch[512];
        uint64_t missed_events, last_check_usec, last_change_usec;
        bool moved; /* state or fingerprint changed while we looked on */
        char *json;
} MaterialInfo;

typedef struct ClusterInfo {
        char name[CONFIG_NAME_MAX];
        char host[CONFIG_VALUE_MAX];
        char material[CONFIG_NAME_MAX];
        char state_text[STATUS_INFO_WORD_MAX];
        ClusterState state; /* _CLUSTER_STATE_MAX: unknown to this program */
        char reason[STATUS_INFO_REASON_MAX];
        char next_step[STATUS_INFO_REASON_MAX]; /* "": none is known to the service */
        uint64_t since_usec, out_of_sync_since_usec;
        char imported[REPORT_FINGERPRINT_MAX];
        uint64_t imported_at_usec, last_attempt_usec, next_attempt_usec, attempts;
        Tristate in_use;
        OutcomeKind outcome; /* _OUTCOME_KIND_MAX: none, or unknown to this program */
        Replication replication;
        bool moved; /* the state changed while we looked on and the set on disk was this one */
        char *json;
} ClusterInfo;

typedef struct StatusInfo {
        char summary[SUMMARY_TEXT_MAX];
        Health health; /* _HEALTH_MAX: unknown */
        int64_t pid;
        MaterialInfo *materials;
        size_t n_materials;
        ClusterInfo *clusters;
        size_t n_clusters;
} StatusInfo;

#define STATUS_INFO_NULL ((StatusInfo){.health = _HEALTH_MAX})

/* The answer to GetStatus. -EBADMSG: it is none. */
int status_info_load(StatusInfo *ret, const JsonValue *status);
void status_info_done(StatusInfo *info);

/* One material or cluster, new or again; `changed`: by an event, not as part of a state. */
int status_info_put_material(StatusInfo *info, const JsonValue *value, bool changed);
int status_info_put_cluster(StatusInfo *info, const JsonValue *value, bool changed);
void status_info_remove_material(StatusInfo *info, const char *name);
void status_info_remove_cluster(StatusInfo *info, const char *name);

/* NULL: there is none of that name. */
const MaterialInfo *status_info_material(const StatusInfo *info, const char *name);
const ClusterInfo *status_info_cluster(const StatusInfo *info, const char *name);

/* Of one cluster and its material, as the daemon judges the whole. */
Health status_info_health(const StatusInfo *info, const ClusterInfo *cluster);

/* It carries the set on disk, but an import of it that was forced since then failed. */
bool status_info_import_failed(const ClusterInfo *cluster);

/* Calls GetStatus. Returns EXIT_SUCCESS, or the exit status after an error message. The caller keeps
 * the reply as long as it prints from it. */
int status_info_fetch(VarlinkReply *ret, StatusInfo *ret_info, const char *socket);
