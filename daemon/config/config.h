#pragma once

/*
 * Configuration: what the settings mean (design 5), immutable once daemon/config/config-load.h made it. Structs
 * are plain values; every value in them was checked, so that no station has to.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macro.h"

#define CONFIG_VALUE_MAX           200 /* bytes of a value, with NUL */
#define CONFIG_NAME_MAX            41  /* a cluster's or material's name, with NUL */
#define CONFIG_PATH_MAX            512 /* directory and name together */
#define CONFIG_EXPIRY_WARNINGS_MAX 8
#define CONFIG_CLUSTERS_MAX        4096
#define CONFIG_MATERIALS_MAX       256

typedef enum MaterialFile {
        MATERIAL_CA,
        MATERIAL_CERT,
        MATERIAL_KEY,
        _MATERIAL_FILE_MAX,
} MaterialFile;

/* The two forms of a payload on the wire (notes: payload newlines are undocumented). */
typedef enum Newlines {
        NEWLINES_AUTO, /* not known yet: raw first, then escaped */
        NEWLINES_RAW,
        NEWLINES_ESCAPED,
        _NEWLINES_MAX,
} Newlines;

/* What is done about a breach that a site may tolerate; spelled differently key by key. */
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
        REPLICATION_IGNORE,  /* never asked */
        REPLICATION_OBSERVE, /* read and reported, nothing is changed */
        REPLICATION_RESTART, /* stopped before the import and started after it */
        _REPLICATION_MODE_MAX,
} ReplicationMode;

/* The ways to log in that a cluster may be allowed by name. Inside TLS that is verified each of them
 * is safe; what a site wants of them is its own affair. */
typedef enum AuthPlugin {
        AUTH_PLUGIN_NATIVE,
        AUTH_PLUGIN_SHA2,
        AUTH_PLUGIN_ED25519,
        _AUTH_PLUGIN_MAX,
} AuthPlugin;

typedef struct MaterialConfig {
        char name[CONFIG_NAME_MAX];
        char directory[CONFIG_VALUE_MAX];
        char file[_MATERIAL_FILE_MAX][CONFIG_VALUE_MAX]; /* as configured */
        char path[_MATERIAL_FILE_MAX][CONFIG_PATH_MAX];  /* absolute */
        uint64_t settle_usec;
        uint64_t settle_limit_usec;
        uint64_t poll_interval_usec;
        Policy chain;
        Policy key_permissions;
        KeyTypes key_types;
        unsigned minimum_rsa_bits;
        uint64_t expiry_warning_usec[CONFIG_EXPIRY_WARNINGS_MAX]; /* largest first, 0 ends */
} MaterialConfig;

typedef struct ClusterConfig {
        char name[CONFIG_NAME_MAX];
        char host[CONFIG_VALUE_MAX];
        unsigned port;
        char user[CONFIG_VALUE_MAX];
        char password_credential[CONFIG_VALUE_MAX]; /* exactly one of these three is set */
        char password_file[CONFIG_VALUE_MAX];
        char password_command[CONFIG_VALUE_MAX]; /* can be split: common/words.h */
        unsigned auth_plugins;                   /* 1u << AuthPlugin, at least one */
        bool cleartext_password;                 /* and mysql_clear_password */
        char server_ca[CONFIG_VALUE_MAX];        /* "": the system's trust store */
        size_t material;                         /* index into Config.materials */
        char material_name[CONFIG_NAME_MAX];
        Newlines newlines;
        Policy query_log;
        ReplicationMode replication;
        char ledger[CONFIG_VALUE_MAX]; /* "schema.table"; "": none */
        bool enabled;
} ClusterConfig;

typedef struct Config {
        unsigned parallel_imports;
        uint64_t import_timeout_usec;
        uint64_t retry_min_usec;
        uint64_t retry_max_usec;
        uint64_t retry_held_usec;
        uint64_t check_interval_usec;
        char metrics_file[CONFIG_VALUE_MAX];  /* "": none */
        char control_group[CONFIG_VALUE_MAX]; /* "": none */
        gid_t control_gid;                    /* of that group */
        MaterialConfig *materials;
        size_t n_materials;
        ClusterConfig *clusters;
        size_t n_clusters;
} Config;

Config *config_free(Config *config);
DEFINE_CLEANUP(Config *, config_free);

extern const char *const auth_plugin_names[_AUTH_PLUGIN_MAX + 1]; /* ends with NULL */

/* The names of all plugins that the cluster allows, with commas between them. */
#define CONFIG_PLUGINS_MAX 96
void config_list_plugins(const ClusterConfig *cluster, char list[CONFIG_PLUGINS_MAX]);

const char *material_file_to_string(MaterialFile file); /* "ca", "cert", "key" */
const char *newlines_to_string(Newlines newlines);
int newlines_from_string(Newlines *ret, const char *name);

/* Where a configuration is wrong, and what would be right. */
typedef struct ConfigProblem {
        char file[4096];
        unsigned line; /* 0: the file as a whole */
        char text[512];
} ConfigProblem;

void config_problem_set(ConfigProblem *problem, const char *file, unsigned line, const char *format,
        ...) PRINTF(4, 5);
