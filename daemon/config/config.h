#pragma once

/*
 * Configuration: the checked values of all keys (binlog-ssld.conf(5)).
 *
 * daemon/config/config-load.h makes a Config, which is immutable once it is in force. Every value
 * is in the range of its key, so that other modules need no checks.
 *
 * A text is a part of a configuration file, which the Config owns, or the default of its key. It is
 * not copied, so that a long command that serves 4096 clusters exists once. A MaterialConfig,
 * ClusterConfig or copy of one lives no longer than the Config; who keeps one keeps a reference.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macro.h"

#define CONFIG_VALUE_MAX           4096 /* bytes of a value, with NUL */
#define CONFIG_NAME_MAX            41   /* a cluster's or material's name, with NUL */
#define CONFIG_HOST_MAX            254  /* with NUL; RFC 1035, section 2.3.4, without the root */
#define CONFIG_USER_MAX            32   /* characters: MySQL manual, "Grant Tables" */
#define CONFIG_PATH_MAX            512  /* directory and file name, with NUL */
#define CONFIG_EXPIRY_WARNINGS_MAX 8
#define CONFIG_CLUSTERS_MAX        4096
#define CONFIG_MATERIALS_MAX       256

typedef enum MaterialFile {
        MATERIAL_CA,
        MATERIAL_CERT,
        MATERIAL_KEY,
        _MATERIAL_FILE_MAX,
} MaterialFile;

/* The form of the line ends in the payload, which is not documented (doc/aurora.md, "Payload"). */
typedef enum Newlines {
        NEWLINES_AUTO, /* raw first, then escaped; of a server: unknown */
        NEWLINES_RAW,
        NEWLINES_ESCAPED,
        _NEWLINES_MAX,
} Newlines;

/* The reaction to a violation that a site may tolerate. The names differ from key to key. */
typedef enum Policy {
        POLICY_REFUSE, /* "refuse", "require": an error */
        POLICY_WARN,
        POLICY_IGNORE, /* "ignore", "off" */
        _POLICY_MAX,
} Policy;

typedef enum KeyTypes {
        KEY_TYPES_RSA,
        KEY_TYPES_RSA_EC,
        _KEY_TYPES_MAX,
} KeyTypes;

typedef enum ReplicationMode {
        REPLICATION_IGNORE,  /* not read */
        REPLICATION_OBSERVE, /* read and reported */
        REPLICATION_RESTART, /* stopped before the import and started after it */
        REPLICATION_REPOINT, /* and its source is set again between them */
        _REPLICATION_MODE_MAX,
} ReplicationMode;

/* Whether an import is preceded by a login to the replication source with the new set. */
typedef enum SourceProbe {
        SOURCE_PROBE_OFF,
        SOURCE_PROBE_TRY,     /* an import needs no answer of the source */
        SOURCE_PROBE_REQUIRE, /* without an answer nothing is imported */
        _SOURCE_PROBE_MAX,
} SourceProbe;

/* How a new set of a material gets into its clusters. */
typedef enum RolloutMode {
        ROLLOUT_PARALLEL, /* into all at once */
        ROLLOUT_CANARY,   /* first into one, which proves it */
        _ROLLOUT_MODE_MAX,
} RolloutMode;

/* What follows an import after which replication fails. */
typedef enum ReplicationFailure {
        REPLICATION_FAILURE_REPORT,
        REPLICATION_FAILURE_ROLLBACK, /* the set before is imported again */
        _REPLICATION_FAILURE_MAX,
} ReplicationFailure;

/* The authentication plugins that auth-plugins can name. Each is safe inside verified TLS; a site
 * may allow fewer. */
typedef enum AuthPlugin {
        AUTH_PLUGIN_NATIVE,
        AUTH_PLUGIN_SHA2,
        AUTH_PLUGIN_ED25519,
        _AUTH_PLUGIN_MAX,
} AuthPlugin;

typedef struct MaterialConfig {
        char name[CONFIG_NAME_MAX];
        const char *directory;
        const char *file[_MATERIAL_FILE_MAX];           /* as configured */
        char path[_MATERIAL_FILE_MAX][CONFIG_PATH_MAX]; /* absolute */
        uint64_t settle_usec;
        uint64_t settle_limit_usec;
        uint64_t poll_interval_usec;
        Policy chain;
        Policy key_permissions;
        KeyTypes key_types;
        unsigned minimum_rsa_bits;
        uint64_t expiry_warning_usec[CONFIG_EXPIRY_WARNINGS_MAX]; /* largest first, 0 ends */
        size_t canary; /* index in Config.clusters; SIZE_MAX: none of its clusters is enabled */
} MaterialConfig;

/* Where the password of a login is. */
typedef struct PasswordConfig {
        const char *credential; /* at most one of these three is set, the others are "" */
        const char *file;
        const char *command; /* password_command_parse() accepts it */
        const char *field;   /* of a JSON object; "": the whole text is the password */
} PasswordConfig;

typedef struct LoginConfig {
        const char *host;
        unsigned port;
        const char *user;
        PasswordConfig password;
} LoginConfig;

typedef struct ClusterConfig {
        char name[CONFIG_NAME_MAX];
        LoginConfig login;       /* complete */
        unsigned auth_plugins;   /* 1u << AuthPlugin, at least one */
        bool cleartext_password; /* allows mysql_clear_password as well */
        const char *server_ca;   /* "": the system's trust store */
        size_t material;         /* index in Config.materials */
        char material_name[CONFIG_NAME_MAX];
        Newlines newlines;
        Policy query_log;
        ReplicationMode replication;
        SourceProbe source_probe;
        LoginConfig
                source; /* "" and 0: as the replica's status names it; its password is optional */
        ReplicationFailure on_replication_failure;
        const char *ledger; /* "schema.table"; "": none */
        bool canary;        /* at most one of a material */
        bool enabled;
        const char *twin; /* name of another enabled cluster with this host and port; NULL: none */
} ClusterConfig;

typedef struct Config {
        unsigned parallel_imports;
        uint64_t import_timeout_usec;
        uint64_t retry_min_usec;
        uint64_t retry_max_usec;
        uint64_t retry_held_usec;
        uint64_t check_interval_usec;
        RolloutMode rollout;
        uint64_t canary_hold_usec;
        bool once;                 /* no key, but --once: each import and check has one turn */
        const char *metrics_file;  /* "": none */
        const char *control_group; /* "": none */
        gid_t control_gid;         /* of that group */
        MaterialConfig *materials;
        size_t n_materials;
        ClusterConfig *clusters;
        size_t n_clusters;
        char **texts; /* the configuration files */
        size_t n_texts;
        unsigned n_refs; /* besides that of its maker */
} Config;

Config *config_ref(Config *config);
/* Frees it with the last reference. */
Config *config_unref(Config *config);
DEFINE_CLEANUP(Config *, config_unref);

/* Sets the canary of each material: of its enabled clusters the one with canary = yes, else the
 * first by name. */
void config_choose_canaries(Config *config);

/* Sets the twin of each enabled cluster that has one. -ENOMEM. */
int config_find_twins(Config *config);

/* Names as in the configuration files; each list ends with NULL. */
extern const char *const auth_plugin_names[_AUTH_PLUGIN_MAX + 1];
extern const char *const newlines_names[_NEWLINES_MAX + 1];
extern const char *const replication_mode_names[_REPLICATION_MODE_MAX + 1];
extern const char *const source_probe_names[_SOURCE_PROBE_MAX + 1];
extern const char *const replication_failure_names[_REPLICATION_FAILURE_MAX + 1];

/* The names of all plugins that the cluster allows, separated by commas. */
#define CONFIG_PLUGINS_MAX 96
void config_list_plugins(const ClusterConfig *cluster, char list[CONFIG_PLUGINS_MAX]);

const char *material_file_to_string(MaterialFile file); /* "ca", "cert", "key" */
const char *newlines_to_string(Newlines newlines);
const char *replication_mode_to_string(ReplicationMode mode);
int replication_mode_from_string(ReplicationMode *ret, const char *name); /* -EINVAL */
bool replication_mode_restarts(ReplicationMode mode);                     /* restart or repoint */
int newlines_from_string(Newlines *ret, const char *name); /* -EINVAL: no form has that name */

/* Returns true if the login has a password. */
bool login_config_has_password(const LoginConfig *login);

/* An error in the configuration files. */
typedef struct ConfigProblem {
        char file[4096];
        unsigned line;   /* 0: the file as a whole */
        char text[1024]; /* the error and what is allowed */
} ConfigProblem;

void config_problem_set(ConfigProblem *problem, const char *file, unsigned line, const char *format,
        ...) PRINTF(4, 5);

/* Writes FILE:LINE: TEXT, without the line for a problem of the file as a whole. */
#define CONFIG_PROBLEM_SIZE (sizeof(ConfigProblem) + 16)
void config_problem_format(char buffer[static CONFIG_PROBLEM_SIZE], const ConfigProblem *problem);
