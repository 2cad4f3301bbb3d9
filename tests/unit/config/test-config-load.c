#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "daemon/config/config-load.h"

#define GOOD                                                               \
        "[daemon]\nparallel-imports = 4 ; a comment\n"                     \
        "[cluster-defaults]\nuser = importer\npassword-credential = all\n" \
        "[cluster orders]\nhost = orders.example\npassword-file = /run/p\n"

static char path[] = "/tmp/test-load-XXXXXX";

static int load(Config **ret, const char *text, ConfigProblem *problem)
{
        assert_int_equal(file_replace(path, text, strlen(text), 0600), 0);
        return config_load(ret, path, problem);
}

static void expect_problem(const char *text, unsigned line, const char *part)
{
        Config *config = NULL;
        ConfigProblem problem = {0};

        assert_int_equal(load(&config, text, &problem), -EINVAL);
        assert_string_equal(problem.file, path);
        assert_int_equal(problem.line, line);
        if (!strstr(problem.text, part))
                fail_msg("\"%s\" is not in \"%s\"", part, problem.text);
}

#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_the_ledger_is_a_table_or_off(void **state)
{
        static const struct {
                const char *line, *value;
        } cases[] = {{"", ""}, {"ledger = off\n", ""}, {"ledger = ops.ledger\n", "ops.ledger"},
                {"ledger = " B64 "." B64 "\n", B64 "." B64}, {"ledger = 1_$.A\n", "1_$.A"}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[600];
                Config *config = NULL;
                ConfigProblem problem = {0};

                snprintf(text, sizeof(text), "%s%s", GOOD, cases[i].line);
                assert_int_equal(load(&config, text, &problem), 0);
                assert_string_equal(config->clusters[0].ledger, cases[i].value);
                config_unref(config);
        }
}

#define CLUSTER(name, more) "[cluster " name "]\nhost = db.example\n" more

static void test_each_material_has_one_canary(void **state)
{
        static const char head[] = "[material one]\n[material two]\n[material three]\n"
                                   "[cluster-defaults]\nuser = u\npassword-file = /run/p\n"
                                   "material = one\n";
        static const struct {
                const char *clusters;
                size_t canary; /* of material one */
        } cases[] = {
                {CLUSTER("b", "") CLUSTER("a", ""), 1},
                {CLUSTER("b", "") CLUSTER("a", "enabled = no\n") CLUSTER("c", ""), 0},
                {CLUSTER("b", "") CLUSTER("a", "") CLUSTER("c", "canary = yes\n"), 2},
                {CLUSTER("b", "") CLUSTER("c", "canary = yes\nenabled = no\n"), 0},
                {CLUSTER("a", "material = two\n") CLUSTER("b", ""), 1},
                {CLUSTER("a", "material = two\n"), SIZE_MAX},
                {CLUSTER("a", "enabled = no\n"), SIZE_MAX},
                {CLUSTER("a", "canary = yes\nmaterial = two\n") CLUSTER("b", "canary = yes\n"), 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[1000];
                Config *config = NULL;
                ConfigProblem problem = {0};

                snprintf(text, sizeof(text), "%s%s", head, cases[i].clusters);
                assert_int_equal(load(&config, text, &problem), 0);
                assert_int_equal(config->materials[0].canary, cases[i].canary);
                assert_int_equal(config->materials[2].canary, SIZE_MAX);
                config_unref(config);
        }
}

static void test_two_canaries_of_one_material_are_an_error(void **state)
{
        static const char head[] = "[cluster-defaults]\nuser = u\npassword-file = /run/p\n";
        char text[1000];

        snprintf(text, sizeof(text), "%s%s", head,
                CLUSTER("a", "canary = yes\nenabled = no\n") CLUSTER("b", "canary = yes\n"));
        expect_problem(text, 10,
                "canary = yes in [cluster b] and in [cluster a]: material default has one canary "
                "at most");
        snprintf(text, sizeof(text), "%scanary = yes\n%s", head,
                CLUSTER("a", "") CLUSTER("b", "canary = no\n") CLUSTER("c", ""));
        expect_problem(text, 4, "canary = yes in [cluster c] and in [cluster a]");
}

static void test_values_override_defaults(void **state)
{
        Config *config = NULL;
        ConfigProblem problem;

        assert_int_equal(load(&config, GOOD, &problem), 0);
        assert_int_equal(config->parallel_imports, 4);
        assert_int_equal(config->retry_max_usec, 5 * USEC_PER_MIN);
        assert_int_equal(config->n_materials, 1);
        assert_string_equal(config->materials[0].path[MATERIAL_KEY],
                "/etc/binlog-ssld/material/client-key.pem");
        assert_int_equal(config->materials[0].expiry_warning_usec[1], 7 * USEC_PER_DAY);
        assert_int_equal(config->n_clusters, 1);
        assert_string_equal(config->clusters[0].login.user, "importer");
        assert_string_equal(config->clusters[0].login.password.file, "/run/p");
        assert_string_equal(config->clusters[0].login.password.credential, "");
        assert_int_equal(config->clusters[0].login.port, 3306);
        config_unref(config);
}

static void test_each_error_is_reported_with_its_line(void **state)
{
        expect_problem(GOOD "colour = red\n", 9, "unknown key colour");
        expect_problem(GOOD "port = 0\n", 9, "a number from 1 to 65535");
        expect_problem(GOOD "port = 65536\n", 9, "port = 65536");
        expect_problem(GOOD "enabled = true\n", 9, "yes or no");
        expect_problem(GOOD "on-replication-failure = rollback\nreplication = ignore\n", 9,
                "on-replication-failure = rollback has no effect");
        expect_problem(GOOD "replication = resume\n", 9, "observe, restart or repoint");
        expect_problem(GOOD "ledger = ledger\n", 9, "off or schema.table");
        expect_problem(GOOD "ledger = a.b.c\n", 9, "off or schema.table");
        expect_problem(GOOD "ledger = .b\n", 9, "off or schema.table");
        expect_problem(GOOD "ledger = a.\n", 9, "off or schema.table");
        expect_problem(GOOD "ledger = a.b`c\n", 9, "off or schema.table");
        expect_problem(GOOD "ledger = a.b c\n", 9, "off or schema.table");
        expect_problem(GOOD "ledger = a." B64 "x\n", 9, "off or schema.table");
        expect_problem("[daemon]\ncheck-interval = 1ms\n", 2, "a duration from 100ms");
        expect_problem(GOOD "material = other\n", 9, "there is no [material other]");
        expect_problem(GOOD "host = again\n", 9, "occurs twice");
        expect_problem(GOOD "just words\n", 9, "neither a [section] nor key = value");
        expect_problem(GOOD "[cluster orders]\n", 9, "occurs twice");
        expect_problem(GOOD "[clusters]\n", 9, "unknown section");
        expect_problem(GOOD "[cluster a/b]\n", 9, "a name is");
        expect_problem(GOOD "[cluster empty]\n", 9, "lacks the mandatory key host");
        expect_problem(GOOD "password-credential = x\n", 8,
                "password-file and password-credential are both set in [cluster orders]");
        expect_problem(GOOD "password-command = /bin/x\n", 9,
                "password-command and password-file are both set in [cluster orders]");
        expect_problem("[cluster a]\nhost = h\nuser = u\n", 1,
                "lacks a password: password-credential, password-file or password-command");
        expect_problem(GOOD "auth-plugins = mysql_native_password,sha256_password\n", 9,
                "auth-plugins = mysql_native_password,sha256_password: this is not a list out of");
        expect_problem(GOOD "auth-plugins = mysql_clear_password\n", 9,
                "allow-cleartext-password = yes adds mysql_clear_password");
        expect_problem(GOOD "auth-plugins = client_ed25519,client_ed25519\n", 9, "a list out of");
        expect_problem(GOOD "auth-plugins = client_ed25519,\n", 9, "a list out of");
        expect_problem(GOOD "auth-plugins = ,client_ed25519\n", 9, "a list out of");
        expect_problem(GOOD "auth-plugins = ed25519\n", 9, "a list out of");
        expect_problem(GOOD "allow-cleartext-password = maybe\n", 9, "yes or no");
        expect_problem(GOOD "[material default]\nsettle = 100\n", 10, "a duration from 1ms");
        expect_problem(GOOD "[material m]\nexpiry-warnings = 1d 7d\n", 10, "largest first");
        expect_problem("host = x\n" GOOD, 1, "before the first section");
        expect_problem("[daemon]\n", 0, "at least one is needed");
        expect_problem("[daemon]\nretry-min = 1h\n[cluster a]\n", 2, "longer than retry-max");
        expect_problem("[daemon]\nretry-max = 100ms\n[cluster a]\n", 2, "longer than retry-max");
        expect_problem(
                "[daemon]\ncontrol-group = none-such\n[cluster a]\n", 2, "there is no such group");
        expect_problem("[material m]\n" GOOD, 7, "there is no [material default]");
}

static void test_a_final_dot_of_a_host_is_taken_off(void **state)
{
        static const char text[] = GOOD "[cluster a]\nhost = db.example.\n"
                                        "source-host = source.example.\n";
        Config *config = NULL;
        ConfigProblem problem = {0};

        assert_int_equal(load(&config, text, &problem), 0);
        assert_string_equal(config->clusters[1].login.host, "db.example");
        assert_string_equal(config->clusters[1].source.host, "source.example");
        config_unref(config);
}

static void test_a_long_command_in_the_defaults_exists_once(void **state)
{
        char text[4096] = "[cluster-defaults]\nuser = u\npassword-command = /usr/bin/aws\n";
        char command[4096] = "/usr/bin/aws";
        Config *config = NULL;
        ConfigProblem problem = {0};

        for (unsigned i = 0; i < 40; i++) {
                char option[40];

                snprintf(option, sizeof(option), " --option-%02u %015u", i, i);
                strcat(command, option);
                strcat(strcat(strcat(text, "   "), option), " ; why\n");
        }
        assert_true(strlen(command) > 1000);
        strcat(text, "[cluster a]\nhost = a\n[cluster b]\nhost = b\n");
        if (load(&config, text, &problem) < 0)
                fail_msg("%s", problem.text);
        assert_string_equal(config->clusters[0].login.password.command, command);
        assert_ptr_equal(config->clusters[0].login.password.command,
                config->clusters[1].login.password.command);
        config_unref(config);
}

static void test_a_password_is_refused_and_not_repeated(void **state)
{
        static const char *const lines[] = {"password = hunter2\n", "passwd = hunter2\n",
                "password-file = hunter2\n", "password-credential = /hunter2\n",
                "password-command = hunter2\n", "password-command = /bin/echo \"hunter2\n",
                "password-command = /bin/echo %hunter2 %x\n",
                "password-command = /bin/echo %hunter2 %\n", "password-command = \"\" hunter2\n",
                "password-command = %h/hunter2\n", "source-password = hunter2\n",
                "source-password-file = hunter2\n", "source-password-credential = /hunter2\n",
                "source-password-command = /bin/echo %hunter2 %x\n"};

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                char text[300];
                Config *config = NULL;
                ConfigProblem problem = {0};

                snprintf(text, sizeof(text), "[cluster orders]\nhost = a\nuser = b\n%s", lines[i]);
                assert_int_equal(load(&config, text, &problem), -EINVAL);
                assert_int_equal(problem.line, 4);
                assert_null(strstr(problem.text, "hunter2"));
        }
        expect_problem(GOOD "password = x\n", 9,
                "password-credential, password-file and password-command name where it is");
        expect_problem(GOOD "password-command = bin/x\n", 9,
                "password-command: this is not an absolute path and arguments, double quotes in "
                "pairs, each percent sign one of %h (host), %p (port), %u (user) and %%");
}

static void expect_source(
        const char *text, const char *credential, const char *file, const char *command)
{
        Config *config = NULL;
        ConfigProblem problem = {0};

        if (load(&config, text, &problem) < 0)
                fail_msg("%s", problem.text);
        assert_string_equal(config->clusters[0].login.password.credential, credential);
        assert_string_equal(config->clusters[0].login.password.file, file);
        assert_string_equal(config->clusters[0].login.password.command, command);
        config_unref(config);
}

static void test_a_password_of_the_cluster_replaces_the_other_kinds_in_the_defaults(void **state)
{
        expect_source("[cluster-defaults]\nuser = u\npassword-command = /bin/t \"a b\" $c\n"
                      "[cluster orders]\nhost = h\n",
                "", "", "/bin/t \"a b\" $c");
        expect_source("[cluster-defaults]\nuser = u\npassword-command = /bin/t\n"
                      "[cluster orders]\nhost = h\npassword-credential = c\n",
                "c", "", "");
        expect_source("[cluster-defaults]\nuser = u\npassword-file = /f\n"
                      "[cluster orders]\nhost = h\npassword-command = \"/my bin/t\"\n",
                "", "", "\"/my bin/t\"");
}

static void expect_field(const char *defaults, const char *cluster, const char *field)
{
        char text[512];
        Config *config = NULL;
        ConfigProblem problem = {0};

        snprintf(text, sizeof(text),
                "[cluster-defaults]\nuser = u\npassword-command = /t\n%s"
                "[cluster orders]\nhost = h\n%s",
                defaults, cluster);
        if (load(&config, text, &problem) < 0)
                fail_msg("%s", problem.text);
        assert_string_equal(config->clusters[0].login.password.field, field);
        config_unref(config);
}

static void test_a_field_is_inherited_until_it_is_off(void **state)
{
        expect_field("", "", "");
        expect_field("password-field = password\n", "", "password");
        expect_field("password-field = password\n", "password-file = /f\n", "password");
        expect_field("password-field = a\n", "password-field = b c\n", "b c");
        expect_field("password-field = a\n", "password-field = off\n", "");
        expect_problem(GOOD "password-field =\n", 9, "off or the name of a member");
}

static void test_the_source_has_a_login_of_its_own(void **state)
{
        const LoginConfig *source;
        Config *config = NULL;
        ConfigProblem problem = {0};

        if (load(&config,
                    GOOD "source-probe = try\nsource-host = ::1\nsource-port = 3307\n"
                         "source-user = repl\nsource-password-command = /bin/t %u\n"
                         "source-password-field = p\n",
                    &problem) < 0)
                fail_msg("%s", problem.text);
        source = &config->clusters[0].source;
        assert_int_equal(config->clusters[0].source_probe, SOURCE_PROBE_TRY);
        assert_string_equal(source->host, "::1");
        assert_int_equal(source->port, 3307);
        assert_string_equal(source->user, "repl");
        assert_string_equal(source->password.command, "/bin/t %u");
        assert_string_equal(source->password.field, "p");
        assert_string_equal(config->clusters[0].login.password.file, "/run/p");
        assert_string_equal(config->clusters[0].login.password.command, "");
        config_unref(config);
}

static void test_the_source_is_optional(void **state)
{
        Config *config = NULL;
        ConfigProblem problem = {0};

        if (load(&config, GOOD "source-probe = require\n", &problem) < 0)
                fail_msg("%s", problem.text);
        assert_int_equal(config->clusters[0].source_probe, SOURCE_PROBE_REQUIRE);
        assert_string_equal(config->clusters[0].source.host, "");
        assert_int_equal(config->clusters[0].source.port, 0);
        assert_string_equal(config->clusters[0].source.user, "");
        assert_false(login_config_has_password(&config->clusters[0].source));
        config_unref(config);
}

static void test_a_password_of_the_source_replaces_the_other_kinds_in_the_defaults(void **state)
{
        Config *config = NULL;
        ConfigProblem problem = {0};

        if (load(&config,
                    "[cluster-defaults]\nuser = u\npassword-file = /f\nsource-password-file = /s\n"
                    "source-password-field = p\n[cluster a]\nhost = h\n"
                    "[cluster b]\nhost = h\nsource-password-credential = c\n",
                    &problem) < 0)
                fail_msg("%s", problem.text);
        assert_string_equal(config->clusters[0].source.password.file, "/s");
        assert_string_equal(config->clusters[1].source.password.file, "");
        assert_string_equal(config->clusters[1].source.password.credential, "c");
        assert_string_equal(config->clusters[1].login.password.file, "/f");
        config_unref(config);
}

static void test_a_probe_that_can_never_work_is_refused(void **state)
{
        expect_problem(GOOD "source-password-file = /a\nsource-password-command = /b\n", 10,
                "source-password-command and source-password-file are both set in "
                "[cluster orders]");
        expect_problem(GOOD "source-password-field = password\n", 9,
                "source-password-field has no effect: [cluster orders] has no "
                "source-password-credential");
        expect_problem(GOOD "replication = ignore\nsource-probe = try\n", 10,
                "source-probe needs source-host in [cluster orders]: with replication = ignore");
        expect_problem("[cluster-defaults]\nuser = u\npassword-file = /f\nsource-probe = require\n"
                       "[cluster a]\nhost = h\nreplication = ignore\n",
                4, "source-probe needs source-host in [cluster a]");
        expect_problem(GOOD "replication = ignore\nsource-probe = try\nsource-host = s\n"
                            "source-password-file = /s\n",
                10, "needs source-user in [cluster orders]");
        expect_problem(GOOD "source-probe = yes\n", 9, "off, try or require");
        expect_problem(GOOD "replication = repoint\n", 9,
                "replication = repoint needs the password of the replication user in [cluster "
                "orders]: source-password-credential");
        expect_problem("[cluster-defaults]\nuser = u\npassword-file = /f\nreplication = repoint\n"
                       "[material default]\n[cluster a]\nhost = a\n",
                4, "replication = repoint needs the password");
        expect_problem(GOOD "source-port = 0\n", 9, "a number from 1 to 65535");
        expect_problem(GOOD "source-host = a b\n", 9, "a host name or address");
}

static void test_an_unknown_key_is_reported_with_all_that_are_allowed(void **state)
{
        expect_problem(
                GOOD "colour = red\n", 9, ", source-password-field, ledger, canary, enabled");
}

static void expect_plugins(const char *lines, const char *plugins)
{
        char text[512], list[CONFIG_PLUGINS_MAX];
        Config *config = NULL;
        ConfigProblem problem = {0};

        snprintf(text, sizeof(text), GOOD "%s", lines);
        if (load(&config, text, &problem) < 0)
                fail_msg("%s", problem.text);
        config_list_plugins(&config->clusters[0], list);
        assert_string_equal(list, plugins);
        config_unref(config);
}

static void test_only_the_named_plugins_are_allowed(void **state)
{
        expect_plugins("", "mysql_native_password,caching_sha2_password");
        expect_plugins("auth-plugins = client_ed25519\n", "client_ed25519");
        expect_plugins("auth-plugins = caching_sha2_password, client_ed25519\n",
                "caching_sha2_password,client_ed25519");
        expect_plugins("allow-cleartext-password = yes\n",
                "mysql_native_password,caching_sha2_password,mysql_clear_password");
        expect_plugins("auth-plugins = "
                       "client_ed25519,caching_sha2_password,mysql_native_password\n"
                       "allow-cleartext-password = yes\n",
                "mysql_native_password,caching_sha2_password,client_ed25519,mysql_clear_password");
}

static void test_enabled_clusters_with_one_host_and_port_are_twins(void **state)
{
        static const char text[] = "[cluster-defaults]\nuser = u\npassword-file = /run/p\n"
                                   "[cluster a]\nhost = db.example\n"
                                   "[cluster b]\nhost = db.example\nport = 3307\n"
                                   "[cluster c]\nhost = DB.Example.\nport = 3306\n"
                                   "[cluster d]\nhost = db.example\nenabled = no\n"
                                   "[cluster e]\nhost = other.example\n";
        static const char *const expected[] = {"c", NULL, "a", NULL, NULL};
        Config *config = NULL;
        ConfigProblem problem = {0};

        assert_int_equal(load(&config, text, &problem), 0);
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                if (expected[i])
                        assert_string_equal(config->clusters[i].twin, expected[i]);
                else
                        assert_null(config->clusters[i].twin);
        config_unref(config);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_enabled_clusters_with_one_host_and_port_are_twins),
                cmocka_unit_test(test_each_material_has_one_canary),
                cmocka_unit_test(test_two_canaries_of_one_material_are_an_error),
                cmocka_unit_test(test_values_override_defaults),
                cmocka_unit_test(test_the_ledger_is_a_table_or_off),
                cmocka_unit_test(test_each_error_is_reported_with_its_line),
                cmocka_unit_test(test_a_final_dot_of_a_host_is_taken_off),
                cmocka_unit_test(test_a_long_command_in_the_defaults_exists_once),
                cmocka_unit_test(test_a_password_is_refused_and_not_repeated),
                cmocka_unit_test(
                        test_a_password_of_the_cluster_replaces_the_other_kinds_in_the_defaults),
                cmocka_unit_test(test_a_field_is_inherited_until_it_is_off),
                cmocka_unit_test(test_the_source_has_a_login_of_its_own),
                cmocka_unit_test(test_the_source_is_optional),
                cmocka_unit_test(
                        test_a_password_of_the_source_replaces_the_other_kinds_in_the_defaults),
                cmocka_unit_test(test_a_probe_that_can_never_work_is_refused),
                cmocka_unit_test(test_an_unknown_key_is_reported_with_all_that_are_allowed),
                cmocka_unit_test(test_only_the_named_plugins_are_allowed),
        };
        int fd = mkstemp(path), failures;

        if (fd < 0)
                return 1;
        close(fd);
        failures = cmocka_run_group_tests(tests, NULL, NULL);
        unlink(path);
        return failures;
}
