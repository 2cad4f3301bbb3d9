#include "daemon/config/schema.h"

#include "common/clock.h"

/* The order is that of the enumeration. */
static const char *const choices_chain[] = {"require", "warn", "off", NULL};
static const char *const choices_policy[] = {"refuse", "warn", "ignore", NULL};
static const char *const choices_rollout[] = {"parallel", "canary", NULL};
static const char *const choices_key_types[] = {"rsa", "rsa,ec", NULL};

#define ALLOWED_PATH       "an absolute path, each name of it at most 255 bytes"
#define ALLOWED_FILE       "an absolute path of a file, each name of it at most 255 bytes"
#define ALLOWED_NAME       "a file name, at most 255 bytes, or the path of a file"
#define ALLOWED_USER       "a user name of 1 to 32 characters, as MySQL allows"
#define ALLOWED_CREDENTIAL "the name of a systemd credential"
#define ALLOWED_FIELD      "off or the name of a member of a JSON object"
#define ALLOWED_HOST                                                                          \
        "a host name or address: at most 253 letters, digits, dots, dashes and underscores, " \
        "at most 63 of them between two dots, and a letter in the last label; or an IPv6 "    \
        "address without brackets; no scheme, and the port has a key of its own"
#define ALLOWED_COMMAND                                                                     \
        "an absolute path and arguments, double quotes in pairs, each percent sign one of " \
        "%h (host), %p (port), %u (user) and %%"

#define DAEMON(member)   offsetof(Config, member)
#define MATERIAL(member) offsetof(MaterialConfig, member)
#define CLUSTER(member)  offsetof(ClusterConfig, member)

/* Name, kind, member, default (NULL: mandatory), then what the kind needs. Versions 14 and 19 of
 * the formatter disagree about the braces. */
/* clang-format off */
#define TEXT(name, kind, member, fallback, allowed)                            \
        {                                                                      \
                name, CONFIG_KEY_##kind, member, fallback, 0, 0, NULL, allowed \
        }
#define NUMBER(name, member, fallback, minimum, maximum)                             \
        {                                                                            \
                name, CONFIG_KEY_UNSIGNED, member, fallback, minimum, maximum, NULL, \
                        "a number from " #minimum " to " #maximum                    \
        }
#define DURATION(name, member, fallback, minimum, maximum, range)                    \
        {                                                                            \
                name, CONFIG_KEY_DURATION, member, fallback, minimum, maximum, NULL, \
                        "a duration from " range                                     \
        }
#define CHOICE(name, member, fallback, choices, allowed)                          \
        {                                                                         \
                name, CONFIG_KEY_CHOICE, member, fallback, 0, 0, choices, allowed \
        }
/* clang-format on */

static const ConfigKey daemon_keys[] = {
        NUMBER("parallel-imports", DAEMON(parallel_imports), "32", 1, 512),
        DURATION("import-timeout", DAEMON(import_timeout_usec), "60s", USEC_PER_SEC, USEC_PER_HOUR,
                "1s to 1h"),
        DURATION("retry-min", DAEMON(retry_min_usec), "1s", 10 * USEC_PER_MSEC, USEC_PER_DAY,
                "10ms to 1d"),
        DURATION("retry-max", DAEMON(retry_max_usec), "5min", 10 * USEC_PER_MSEC, USEC_PER_DAY,
                "10ms to 1d"),
        DURATION("retry-held", DAEMON(retry_held_usec), "1h", 100 * USEC_PER_MSEC, 7 * USEC_PER_DAY,
                "100ms to 7d"),
        DURATION("check-interval", DAEMON(check_interval_usec), "5min", 100 * USEC_PER_MSEC,
                USEC_PER_DAY, "100ms to 1d"),
        CHOICE("rollout", DAEMON(rollout), "parallel", choices_rollout, "parallel or canary"),
        DURATION("canary-hold", DAEMON(canary_hold_usec), "2min", 0, 7 * USEC_PER_DAY, "0s to 7d"),
        TEXT("metrics-file", FILE, DAEMON(metrics_file), "", ALLOWED_FILE),
        TEXT("control-group", NAME, DAEMON(control_group), "", "the name of a group"),
};

static const ConfigKey material_keys[] = {
        TEXT("directory", PATH, MATERIAL(directory), "/etc/binlog-ssld/material", ALLOWED_PATH),
        TEXT("ca", FILE_NAME, MATERIAL(file[MATERIAL_CA]), "ca.pem", ALLOWED_NAME),
        TEXT("cert", FILE_NAME, MATERIAL(file[MATERIAL_CERT]), "client-cert.pem", ALLOWED_NAME),
        TEXT("key", FILE_NAME, MATERIAL(file[MATERIAL_KEY]), "client-key.pem", ALLOWED_NAME),
        DURATION("settle", MATERIAL(settle_usec), "100ms", USEC_PER_MSEC, USEC_PER_MIN,
                "1ms to 1min"),
        DURATION("settle-limit", MATERIAL(settle_limit_usec), "30s", 0, USEC_PER_HOUR, "0s to 1h"),
        DURATION("poll-interval", MATERIAL(poll_interval_usec), "30s", 100 * USEC_PER_MSEC,
                USEC_PER_HOUR, "100ms to 1h"),
        CHOICE("chain", MATERIAL(chain), "require", choices_chain, "require, warn or off"),
        CHOICE("key-permissions", MATERIAL(key_permissions), "warn", choices_policy,
                "refuse, warn or ignore"),
        CHOICE("key-types", MATERIAL(key_types), "rsa", choices_key_types, "rsa or rsa,ec"),
        NUMBER("minimum-rsa-bits", MATERIAL(minimum_rsa_bits), "2048", 1024, 16384),
        {"expiry-warnings", CONFIG_KEY_DURATIONS, MATERIAL(expiry_warning_usec), "30d 7d 1d",
                USEC_PER_MIN, 3650 * USEC_PER_DAY, NULL,
                "one to eight durations from 1min to 3650d, largest first"},
};

static const ConfigKey cluster_keys[] = {
        TEXT("host", HOST, CLUSTER(login.host), NULL, ALLOWED_HOST),
        NUMBER("port", CLUSTER(login.port), "3306", 1, 65535),
        TEXT("user", USER, CLUSTER(login.user), NULL, ALLOWED_USER),
        TEXT("password-credential", NAME, CLUSTER(login.password.credential), "",
                ALLOWED_CREDENTIAL),
        TEXT("password-file", FILE, CLUSTER(login.password.file), "", ALLOWED_FILE),
        TEXT("password-command", COMMAND, CLUSTER(login.password.command), "", ALLOWED_COMMAND),
        TEXT("password-field", FIELD, CLUSTER(login.password.field), "off", ALLOWED_FIELD),
        {"auth-plugins", CONFIG_KEY_CHOICES, CLUSTER(auth_plugins),
                "mysql_native_password,caching_sha2_password", 0, 0, auth_plugin_names,
                "a list out of mysql_native_password, caching_sha2_password and "
                "client_ed25519; allow-cleartext-password = yes adds mysql_clear_password"},
        TEXT("allow-cleartext-password", BOOLEAN, CLUSTER(cleartext_password), "no", "yes or no"),
        TEXT("server-ca", PATH, CLUSTER(server_ca), "", ALLOWED_PATH),
        /* A reference, which daemon/config/config-load.c resolves. */
        TEXT("material", NAME, SIZE_MAX, "default", "the name of a [material NAME] section"),
        CHOICE("payload-newlines", CLUSTER(newlines), "auto", newlines_names,
                "auto, raw or escaped"),
        CHOICE("query-log", CLUSTER(query_log), "refuse", choices_policy, "refuse, warn or ignore"),
        CHOICE("replication", CLUSTER(replication), "observe", replication_mode_names,
                "ignore, observe, restart or repoint"),
        CHOICE("on-replication-failure", CLUSTER(on_replication_failure), "report",
                replication_failure_names, "report or rollback"),
        CHOICE("source-probe", CLUSTER(source_probe), "off", source_probe_names,
                "off, try or require"),
        TEXT("source-host", HOST, CLUSTER(source.host), "", ALLOWED_HOST),
        NUMBER("source-port", CLUSTER(source.port), "", 1, 65535),
        TEXT("source-user", USER, CLUSTER(source.user), "", ALLOWED_USER),
        TEXT("source-password-credential", NAME, CLUSTER(source.password.credential), "",
                ALLOWED_CREDENTIAL),
        TEXT("source-password-file", FILE, CLUSTER(source.password.file), "", ALLOWED_FILE),
        TEXT("source-password-command", COMMAND, CLUSTER(source.password.command), "",
                ALLOWED_COMMAND),
        TEXT("source-password-field", FIELD, CLUSTER(source.password.field), "off", ALLOWED_FIELD),
        TEXT("ledger", TABLE, CLUSTER(ledger), "off",
                "off or schema.table, each of 1 to 64 letters, digits, _ and $; no table of "
                "information_schema or performance_schema"),
        TEXT("canary", BOOLEAN, CLUSTER(canary), "no", "yes or no"),
        TEXT("enabled", BOOLEAN, CLUSTER(enabled), "yes", "yes or no"),
};

const ConfigKeyTable schema_daemon = {daemon_keys, ARRAY_SIZE(daemon_keys)};
const ConfigKeyTable schema_material = {material_keys, ARRAY_SIZE(material_keys)};
const ConfigKeyTable schema_cluster = {cluster_keys, ARRAY_SIZE(cluster_keys)};
