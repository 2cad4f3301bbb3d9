#include "daemon/key.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/duration.h"
#include "common/text.h"
#include "common/words.h"

static const char *const choices_chain[] = {"require", "warn", "off", NULL};
static const char *const choices_policy[] = {"refuse", "warn", "ignore", NULL};
static const char *const choices_key_types[] = {"rsa", "rsa,ec", NULL};
static const char *const choices_newlines[] = {"auto", "raw", "escaped", NULL};
static const char *const choices_replication[] = {"ignore", "observe", "restart", NULL};

#define DAEMON(member)   offsetof(Config, member)
#define MATERIAL(member) offsetof(MaterialConfig, member)
#define CLUSTER(member)  offsetof(ClusterConfig, member)

static const Key daemon_keys[] = {
        {.name = "parallel-imports",
                .kind = KEY_UNSIGNED,
                .offset = DAEMON(parallel_imports),
                .fallback = "32",
                .minimum = 1,
                .maximum = 512,
                .allowed = "a number from 1 to 512"},
        {.name = "import-timeout",
                .kind = KEY_DURATION,
                .offset = DAEMON(import_timeout_usec),
                .fallback = "60s",
                .minimum = USEC_PER_SEC,
                .maximum = USEC_PER_HOUR,
                .allowed = "a duration from 1s to 1h"},
        {.name = "retry-min",
                .kind = KEY_DURATION,
                .offset = DAEMON(retry_min_usec),
                .fallback = "1s",
                .minimum = 10 * USEC_PER_MSEC,
                .maximum = USEC_PER_DAY,
                .allowed = "a duration from 10ms to 1d"},
        {.name = "retry-max",
                .kind = KEY_DURATION,
                .offset = DAEMON(retry_max_usec),
                .fallback = "5min",
                .minimum = 10 * USEC_PER_MSEC,
                .maximum = USEC_PER_DAY,
                .allowed = "a duration from 10ms to 1d"},
        {.name = "retry-held",
                .kind = KEY_DURATION,
                .offset = DAEMON(retry_held_usec),
                .fallback = "1h",
                .minimum = 100 * USEC_PER_MSEC,
                .maximum = 7 * USEC_PER_DAY,
                .allowed = "a duration from 100ms to 7d"},
        {.name = "check-interval",
                .kind = KEY_DURATION,
                .offset = DAEMON(check_interval_usec),
                .fallback = "5min",
                .minimum = 100 * USEC_PER_MSEC,
                .maximum = USEC_PER_DAY,
                .allowed = "a duration from 100ms to 1d"},
        {.name = "metrics-file",
                .kind = KEY_PATH,
                .offset = DAEMON(metrics_file),
                .fallback = "",
                .allowed = "an absolute path"},
        {.name = "control-group",
                .kind = KEY_NAME,
                .offset = DAEMON(control_group),
                .fallback = "",
                .allowed = "the name of a group"},
};

static const Key material_keys[] = {
        {.name = "directory",
                .kind = KEY_PATH,
                .offset = MATERIAL(directory),
                .fallback = "/etc/binlog-ssld/material",
                .allowed = "an absolute path"},
        {.name = "ca",
                .kind = KEY_TEXT,
                .offset = MATERIAL(file[MATERIAL_CA]),
                .fallback = "ca.pem",
                .allowed = "a file name"},
        {.name = "cert",
                .kind = KEY_TEXT,
                .offset = MATERIAL(file[MATERIAL_CERT]),
                .fallback = "client-cert.pem",
                .allowed = "a file name"},
        {.name = "key",
                .kind = KEY_TEXT,
                .offset = MATERIAL(file[MATERIAL_KEY]),
                .fallback = "client-key.pem",
                .allowed = "a file name"},
        {.name = "settle",
                .kind = KEY_DURATION,
                .offset = MATERIAL(settle_usec),
                .fallback = "100ms",
                .minimum = USEC_PER_MSEC,
                .maximum = USEC_PER_MIN,
                .allowed = "a duration from 1ms to 1min"},
        {.name = "settle-limit",
                .kind = KEY_DURATION,
                .offset = MATERIAL(settle_limit_usec),
                .fallback = "30s",
                .minimum = 0,
                .maximum = USEC_PER_HOUR,
                .allowed = "a duration from 0s to 1h"},
        {.name = "poll-interval",
                .kind = KEY_DURATION,
                .offset = MATERIAL(poll_interval_usec),
                .fallback = "30s",
                .minimum = 100 * USEC_PER_MSEC,
                .maximum = USEC_PER_HOUR,
                .allowed = "a duration from 100ms to 1h"},
        {.name = "chain",
                .kind = KEY_CHOICE,
                .offset = MATERIAL(chain),
                .fallback = "require",
                .choices = choices_chain,
                .allowed = "require, warn or off"},
        {.name = "key-permissions",
                .kind = KEY_CHOICE,
                .offset = MATERIAL(key_permissions),
                .fallback = "warn",
                .choices = choices_policy,
                .allowed = "refuse, warn or ignore"},
        {.name = "key-types",
                .kind = KEY_CHOICE,
                .offset = MATERIAL(key_types),
                .fallback = "rsa",
                .choices = choices_key_types,
                .allowed = "rsa or rsa,ec"},
        {.name = "minimum-rsa-bits",
                .kind = KEY_UNSIGNED,
                .offset = MATERIAL(minimum_rsa_bits),
                .fallback = "2048",
                .minimum = 1024,
                .maximum = 16384,
                .allowed = "a number from 1024 to 16384"},
        {.name = "expiry-warnings",
                .kind = KEY_DURATIONS,
                .offset = MATERIAL(expiry_warning_usec),
                .fallback = "30d 7d 1d",
                .minimum = USEC_PER_MIN,
                .maximum = 3650 * USEC_PER_DAY,
                .allowed = "one to eight durations from 1min to 3650d, largest first"},
};

static const Key cluster_keys[] = {
        {.name = "host",
                .kind = KEY_TEXT,
                .offset = CLUSTER(host),
                .allowed = "a host name or address"},
        {.name = "port",
                .kind = KEY_UNSIGNED,
                .offset = CLUSTER(port),
                .fallback = "3306",
                .minimum = 1,
                .maximum = 65535,
                .allowed = "a number from 1 to 65535"},
        {.name = "user", .kind = KEY_TEXT, .offset = CLUSTER(user), .allowed = "a user name"},
        {.name = "password-credential",
                .kind = KEY_NAME,
                .offset = CLUSTER(password_credential),
                .fallback = "",
                .allowed = "the name of a systemd credential"},
        {.name = "password-file",
                .kind = KEY_PATH,
                .offset = CLUSTER(password_file),
                .fallback = "",
                .allowed = "an absolute path"},
        {.name = "password-command",
                .kind = KEY_COMMAND,
                .offset = CLUSTER(password_command),
                .fallback = "",
                .allowed = "an absolute path and arguments, double quotes in pairs"},
        {.name = "auth-plugins",
                .kind = KEY_CHOICES,
                .offset = CLUSTER(auth_plugins),
                .fallback = "mysql_native_password,caching_sha2_password",
                .choices = auth_plugin_names,
                .allowed = "a list out of mysql_native_password, caching_sha2_password and "
                           "client_ed25519; allow-cleartext-password = yes adds "
                           "mysql_clear_password"},
        {.name = "allow-cleartext-password",
                .kind = KEY_BOOLEAN,
                .offset = CLUSTER(cleartext_password),
                .fallback = "no",
                .allowed = "yes or no"},
        {.name = "server-ca",
                .kind = KEY_PATH,
                .offset = CLUSTER(server_ca),
                .fallback = "",
                .allowed = "an absolute path"},
        {.name = "material",
                .kind = KEY_NAME,
                .offset = SIZE_MAX, /* a reference: daemon/config.c resolves it */
                .fallback = "default",
                .allowed = "the name of a [material NAME] section"},
        {.name = "payload-newlines",
                .kind = KEY_CHOICE,
                .offset = CLUSTER(newlines),
                .fallback = "auto",
                .choices = choices_newlines,
                .allowed = "auto, raw or escaped"},
        {.name = "query-log",
                .kind = KEY_CHOICE,
                .offset = CLUSTER(query_log),
                .fallback = "refuse",
                .choices = choices_policy,
                .allowed = "refuse, warn or ignore"},
        {.name = "replication",
                .kind = KEY_CHOICE,
                .offset = CLUSTER(replication),
                .fallback = "observe",
                .choices = choices_replication,
                .allowed = "ignore, observe or restart"},
        {.name = "ledger",
                .kind = KEY_TABLE,
                .offset = CLUSTER(ledger),
                .fallback = "off",
                .allowed = "off or schema.table, each of 1 to 64 letters, digits, _ and $"},
        {.name = "enabled",
                .kind = KEY_BOOLEAN,
                .offset = CLUSTER(enabled),
                .fallback = "yes",
                .allowed = "yes or no"},
};

const KeyTable key_table_daemon = {daemon_keys, ARRAY_SIZE(daemon_keys)};
const KeyTable key_table_material = {material_keys, ARRAY_SIZE(material_keys)};
const KeyTable key_table_cluster = {cluster_keys, ARRAY_SIZE(cluster_keys)};

static bool is_name(const char *text)
{
        if (text[0] == '\0' || text[0] == '.' || strlen(text) >= SETTING_VALUE_MAX)
                return false;
        for (; *text != '\0'; text++)
                if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
                        return false;
        return true;
}

/* Stands in statements as it is. */
static bool is_table(const char *text)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789_$";
        size_t schema = strspn(text, allowed), table;

        if (text[schema] != '.')
                return false;
        table = strspn(text + schema + 1, allowed);
        return schema >= 1 && schema <= 64 && table >= 1 && table <= 64 &&
                text[schema + 1 + table] == '\0';
}

static int parse_unsigned(unsigned *ret, const Key *key, const char *text)
{
        unsigned long value;
        char *end;

        if (!isdigit((unsigned char)text[0]))
                return -EINVAL;
        errno = 0;
        value = strtoul(text, &end, 10);
        if (*end != '\0' || errno != 0 || value < key->minimum || value > key->maximum)
                return -EINVAL;
        *ret = (unsigned)value;
        return 0;
}

static int parse_duration(uint64_t *ret, const Key *key, const char *text)
{
        uint64_t usec;

        if (duration_parse(&usec, text) < 0 || usec < key->minimum || usec > key->maximum)
                return -EINVAL;
        *ret = usec;
        return 0;
}

static int parse_durations(uint64_t *ret, const Key *key, const char *text)
{
        uint64_t values[CONFIG_EXPIRY_WARNINGS_MAX + 1] = {0};
        char copy[SETTING_VALUE_MAX];
        char *rest = NULL;
        size_t n = 0;

        text_set(copy, sizeof(copy), text);
        for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
                if (n >= CONFIG_EXPIRY_WARNINGS_MAX || parse_duration(&values[n], key, word) < 0)
                        return -EINVAL;
                if (n > 0 && values[n] >= values[n - 1])
                        return -EINVAL;
                n++;
        }
        if (n == 0)
                return -EINVAL;
        memcpy(ret, values, CONFIG_EXPIRY_WARNINGS_MAX * sizeof(*values));
        return 0;
}

static int parse_choice(int *ret, const Key *key, const char *text)
{
        for (int i = 0; key->choices[i]; i++)
                if (strcmp(key->choices[i], text) == 0) {
                        *ret = i;
                        return 0;
                }
        return -EINVAL;
}

/* Each name at most once. */
static int parse_choices(unsigned *ret, const Key *key, const char *text)
{
        char copy[SETTING_VALUE_MAX];
        char *rest = copy, *word;
        unsigned flags = 0;

        text_set(copy, sizeof(copy), text);
        while ((word = strsep(&rest, ",")) != NULL) {
                int index, r = parse_choice(&index, key, word + strspn(word, " "));

                if (r < 0 || flags & 1U << index)
                        return -EINVAL;
                flags |= 1U << index;
        }
        *ret = flags;
        return 0;
}

static bool is_command(const char *text)
{
        char copy[SETTING_VALUE_MAX], *words[SETTING_VALUE_MAX];

        text_set(copy, sizeof(copy), text);
        return words_split(words, ARRAY_SIZE(words) - 1, copy) > 0 && words[0][0] == '/';
}

const Key *key_find(const KeyTable *table, const char *name)
{
        for (size_t i = 0; i < table->n_keys; i++)
                if (strcmp(table->keys[i].name, name) == 0)
                        return &table->keys[i];
        return NULL;
}

const char *key_list(char *buffer, size_t size, const KeyTable *table)
{
        size_t used = 0;

        buffer[0] = '\0';
        for (size_t i = 0; i < table->n_keys && used < size; i++) {
                text_format(
                        buffer + used, size - used, "%s%s", i > 0 ? ", " : "", table->keys[i].name);
                used += strlen(buffer + used);
        }
        return buffer;
}

int key_parse(void *object, const Key *key, const char *text)
{
        void *member = key->offset == SIZE_MAX ? NULL : (char *)object + key->offset;

        switch (key->kind) {
        case KEY_TEXT:
                if (text[0] == '\0')
                        return -EINVAL;
                break;
        case KEY_PATH:
                if (text[0] != '/')
                        return -EINVAL;
                break;
        case KEY_NAME:
                if (!is_name(text))
                        return -EINVAL;
                break;
        case KEY_TABLE:
                if (strcmp(text, "off") == 0)
                        text = "";
                else if (!is_table(text))
                        return -EINVAL;
                break;
        case KEY_UNSIGNED:
                return parse_unsigned(member, key, text);
        case KEY_DURATION:
                return parse_duration(member, key, text);
        case KEY_DURATIONS:
                return parse_durations(member, key, text);
        case KEY_CHOICE:
                return parse_choice(member, key, text);
        case KEY_CHOICES:
                return parse_choices(member, key, text);
        case KEY_COMMAND:
                if (!is_command(text))
                        return -EINVAL;
                break;
        case KEY_BOOLEAN:
                if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
                        return -EINVAL;
                *(bool *)member = text[0] == 'y';
                return 0;
        }
        if (member)
                text_set(member, SETTING_VALUE_MAX, text);
        return 0;
}

static bool key_equal(const Key *key, const void *a, const void *b)
{
        switch (key->kind) {
        case KEY_TEXT:
        case KEY_PATH:
        case KEY_TABLE:
        case KEY_NAME:
        case KEY_COMMAND:
                return strcmp(a, b) == 0;
        case KEY_UNSIGNED:
        case KEY_CHOICES:
                return *(const unsigned *)a == *(const unsigned *)b;
        case KEY_DURATION:
                return *(const uint64_t *)a == *(const uint64_t *)b;
        case KEY_DURATIONS:
                return memcmp(a, b, CONFIG_EXPIRY_WARNINGS_MAX * sizeof(uint64_t)) == 0;
        case KEY_CHOICE:
                return *(const int *)a == *(const int *)b;
        case KEY_BOOLEAN:
                return *(const bool *)a == *(const bool *)b;
        }
        return false;
}

bool key_table_equal(const KeyTable *table, const void *a, const void *b)
{
        for (size_t i = 0; i < table->n_keys; i++) {
                const Key *key = &table->keys[i];

                if (key->offset != SIZE_MAX &&
                        !key_equal(
                                key, (const char *)a + key->offset, (const char *)b + key->offset))
                        return false;
        }
        return true;
}
