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

#include "common/json.h"
#include "daemon/cluster.h"
#include "daemon/config.h"
#include "daemon/report.h"
#include "daemon/summary.h"
#include "daemon/verdict.h"

#define VIEW_REASON_MAX 1024
#define VIEW_WORD_MAX   24

typedef struct MaterialView {
        char name[CONFIG_NAME_MAX];
        char directory[CONFIG_PATH_MAX];
        char state_text[VIEW_WORD_MAX];
        MaterialState state; /* _MATERIAL_STATE_MAX: unknown to this program */
        char reason[VIEW_REASON_MAX];
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
} MaterialView;

typedef struct ClusterView {
        char name[CONFIG_NAME_MAX];
        char host[SETTING_VALUE_MAX];
        char material[CONFIG_NAME_MAX];
        char state_text[VIEW_WORD_MAX];
        ClusterState state; /* _CLUSTER_STATE_MAX: unknown to this program */
        char reason[VIEW_REASON_MAX];
        char next_step[VIEW_REASON_MAX]; /* "": none is known to the service */
        uint64_t since_usec, out_of_sync_since_usec;
        char imported[REPORT_FINGERPRINT_MAX];
        uint64_t imported_at_usec, last_attempt_usec, next_attempt_usec, attempts;
        Tristate in_use;
        OutcomeKind outcome; /* _OUTCOME_KIND_MAX: none, or unknown to this program */
        Replication replication;
        bool moved; /* the state changed while we looked on and the set on disk was this one */
        char *json;
} ClusterView;

typedef struct View {
        char summary[SUMMARY_TEXT_MAX];
        Health health; /* _HEALTH_MAX: unknown */
        int64_t pid;
        MaterialView *materials;
        size_t n_materials;
        ClusterView *clusters;
        size_t n_clusters;
} View;

#define VIEW_NULL ((View){.health = _HEALTH_MAX})

/* The answer to GetStatus. -EBADMSG: it is none. */
int view_load(View *ret, const JsonValue *status);
void view_done(View *view);

/* One material or cluster, new or again; `changed`: by an event, not as part of a state. */
int view_put_material(View *view, const JsonValue *value, bool changed);
int view_put_cluster(View *view, const JsonValue *value, bool changed);
void view_remove_material(View *view, const char *name);
void view_remove_cluster(View *view, const char *name);

/* NULL: there is none of that name. */
const MaterialView *view_material(const View *view, const char *name);
const ClusterView *view_cluster(const View *view, const char *name);

/* Of one cluster and its material, as the daemon judges the whole. */
Health view_health(const View *view, const ClusterView *cluster);

/* It carries the set on disk, but an import of it that was forced since then failed. */
bool view_import_failed(const ClusterView *cluster);

/* A member as a text that is fit to be shown; "" if it is none. */
void view_text(char *buffer, size_t size, const JsonValue *object, const char *key);
