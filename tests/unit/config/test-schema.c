#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/config/schema.h"

/* For each key a value that is valid and not the default, and one that is not valid. */
static const struct {
        const ConfigKeyTable *table;
        const char *name, *valid, *invalid;
} samples[] = {
        {&schema_daemon, "parallel-imports", "512", "513"},
        {&schema_daemon, "import-timeout", "1h", "999ms"},
        {&schema_daemon, "retry-min", "10ms", "9ms"},
        {&schema_daemon, "retry-max", "1d", "1d 1s"},
        {&schema_daemon, "retry-held", "7d", "99ms"},
        {&schema_daemon, "check-interval", "100ms", "0s"},
        {&schema_daemon, "rollout", "canary", "serial"},
        {&schema_daemon, "canary-hold", "0s", "8d"},
        {&schema_daemon, "metrics-file", "/var/lib/metrics.prom", "metrics.prom"},
        {&schema_daemon, "control-group", "dba", "two words"},
        {&schema_material, "directory", "/srv/tls", "srv/tls"},
        {&schema_material, "ca", "chain.pem", ""},
        {&schema_material, "cert", "cert.pem", ""},
        {&schema_material, "key", "privkey.pem", ""},
        {&schema_material, "settle", "1min", "61s"},
        {&schema_material, "settle-limit", "0s", "-1s"},
        {&schema_material, "poll-interval", "1h", "30"},
        {&schema_material, "chain", "off", "ignore"},
        {&schema_material, "key-permissions", "ignore", "off"},
        {&schema_material, "key-types", "rsa,ec", "ec"},
        {&schema_material, "minimum-rsa-bits", "1024", "1023"},
        {&schema_material, "expiry-warnings", "60d 1min", "1d 7d"},
        {&schema_cluster, "host", "db.example", "db.example#1"},
        {&schema_cluster, "port", "65535", "0"},
        {&schema_cluster, "user", "someone", ""},
        {&schema_cluster, "password-credential", "orders", "a/b"},
        {&schema_cluster, "password-file", "/run/password", "password"},
        {&schema_cluster, "password-command", "/bin/token \"a b\" %h", "/bin/token %x"},
        {&schema_cluster, "password-field", "password", ""},
        {&schema_cluster, "auth-plugins", "client_ed25519", "mysql_clear_password"},
        {&schema_cluster, "allow-cleartext-password", "yes", "true"},
        {&schema_cluster, "server-ca", "/etc/ssl/rds.pem", "rds.pem"},
        {&schema_cluster, "material", "other", "a b"},
        {&schema_cluster, "payload-newlines", "escaped", "crlf"},
        {&schema_cluster, "query-log", "ignore", "off"},
        {&schema_cluster, "replication", "repoint", "off"},
        {&schema_cluster, "source-probe", "require", "refuse"},
        {&schema_cluster, "source-host", "source.example", "-source"},
        {&schema_cluster, "source-port", "65535", "65536"},
        {&schema_cluster, "source-user", "repl", ""},
        {&schema_cluster, "source-password-credential", "repl", "a/b"},
        {&schema_cluster, "source-password-file", "/run/repl", "repl"},
        {&schema_cluster, "source-password-command", "/bin/token %h %p %u", "bin/token"},
        {&schema_cluster, "source-password-field", "password", ""},
        {&schema_cluster, "on-replication-failure", "rollback", "revert"},
        {&schema_cluster, "ledger", "binlog_ssl.ledger", "ledger"},
        {&schema_cluster, "canary", "yes", "first"},
        {&schema_cluster, "enabled", "no", "off"},
};

/* Large enough for each of the three structs. */
typedef union Object {
        Config daemon;
        MaterialConfig material;
        ClusterConfig cluster;
} Object;

static void parse(Object *object, const ConfigKey *key, const char *text)
{
        if (config_key_parse(object, key, text) != 0)
                fail_msg("%s: %s is refused", key->name, text);
}

static void test_every_key_has_a_sample(void **state)
{
        static const ConfigKeyTable *const tables[] = {
                &schema_daemon, &schema_material, &schema_cluster};

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                for (size_t k = 0; k < tables[i]->n_keys; k++) {
                        size_t n = 0;

                        for (size_t s = 0; s < ARRAY_SIZE(samples); s++)
                                n += samples[s].table == tables[i] &&
                                        strcmp(samples[s].name, tables[i]->keys[k].name) == 0;
                        if (n != 1)
                                fail_msg("%s has %zu samples", tables[i]->keys[k].name, n);
                }
}

static void test_a_valid_value_is_stored_and_differs_from_the_default(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                const ConfigKey *key = config_key_find(samples[i].table, samples[i].name);
                CLEANUP(freep) Object *original = calloc(1, sizeof(Object));
                CLEANUP(freep) Object *changed = calloc(1, sizeof(Object));

                assert_non_null(key);
                if (key->fallback && key->fallback[0] != '\0') {
                        parse(original, key, key->fallback);
                        parse(changed, key, key->fallback);
                }
                assert_true(config_key_table_equal(samples[i].table, original, changed));
                parse(changed, key, samples[i].valid);
                if (key->offset != SIZE_MAX &&
                        config_key_table_equal(samples[i].table, original, changed))
                        fail_msg("%s: %s changes nothing", key->name, samples[i].valid);
        }
}

static void test_an_invalid_value_is_refused_and_stored_nowhere(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                const ConfigKey *key = config_key_find(samples[i].table, samples[i].name);
                CLEANUP(freep) Object *original = calloc(1, sizeof(Object));
                CLEANUP(freep) Object *object = calloc(1, sizeof(Object));

                if (config_key_parse(object, key, samples[i].invalid) != -EINVAL)
                        fail_msg("%s: %s is accepted", key->name, samples[i].invalid);
                assert_memory_equal(object, original, sizeof(Object));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_key_has_a_sample),
                cmocka_unit_test(test_a_valid_value_is_stored_and_differs_from_the_default),
                cmocka_unit_test(test_an_invalid_value_is_refused_and_stored_nowhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
