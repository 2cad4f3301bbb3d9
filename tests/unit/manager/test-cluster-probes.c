/* Inventory, material, cluster and prober are replaced. */

#include "tests/unit/test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/json-reader.h"
#include "common/text.h"
#include "daemon/manager/cluster-probes.h"
#include "daemon/probe/prober.h"
#include "daemon/status/summary-material.h"

#define FINGERPRINT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static sd_event *event;
static ClusterProbes *probes;
static CheckOperations check;
static Config *config; /* in force */
static Record record;
static ClusterStatus status;
static MaterialConfig material_config;
static MaterialStatus material;
static Report report;
static SealedSet set;
static bool has_set;
static unsigned n_ready;

/* In the child: it tells of its task, or does not end. */
int prober_run(Probe *ret, const ProberTask *task)
{
        if (strcmp(task->cluster->name, "hang") == 0)
                pause();
        ret->newlines = task->newlines;
        text_set(ret->account, sizeof(ret->account),
                task->payload_fd >= 0 ? task->fingerprint : task->reason);
        return 0;
}

const Config *inventory_config(const Inventory *inventory)
{
        return config;
}

Config *inventory_ref_config(const Inventory *inventory)
{
        return config_ref(config);
}

Material *inventory_material_of(const Inventory *inventory, size_t cluster)
{
        assert_true(cluster < config->n_clusters);
        return NULL;
}

Cluster *inventory_cluster(const Inventory *inventory, size_t index)
{
        assert_true(index < config->n_clusters);
        return NULL;
}

SealedSet *material_set(const Material *unused)
{
        return has_set ? &set : NULL;
}

const MaterialStatus *material_status(const Material *unused)
{
        return &material;
}

const ClusterStatus *cluster_status(const Cluster *unused)
{
        return &status;
}

static Config *config_new(const char *first, const char *second)
{
        const char *const names[] = {first, second};
        Config *new = calloc(1, sizeof(*new));

        assert_non_null(new);
        new->parallel_imports = 1;
        new->import_timeout_usec = 60 * USEC_PER_SEC;
        new->clusters = calloc(ARRAY_SIZE(names), sizeof(*new->clusters));
        assert_non_null(new->clusters);
        for (size_t i = 0; i < ARRAY_SIZE(names) && names[i]; i++) {
                ClusterConfig *cluster = &new->clusters[new->n_clusters++];

                strcpy(cluster->name, names[i]);
                cluster->login.host = "db.example";
                cluster->login.user = "u";
                cluster->ledger = "";
                cluster->enabled = true;
        }
        return new;
}

static void configure(const char *first, const char *second)
{
        config_unref(config);
        config = config_new(first, second);
}

static int make(void **state)
{
        sigset_t mask;

        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        n_ready = 0;
        record = RECORD_NULL;
        status = (ClusterStatus){.record = &record};
        material_config = (MaterialConfig){.name = "default", .directory = "/etc/material"};
        report = (Report){0};
        material = (MaterialStatus){.config = &material_config,
                .inspected = true,
                .state = MATERIAL_STATE_VALID,
                .report = &report};
        set = (SealedSet){.payload_fd = STDIN_FILENO, .info.fingerprint = FINGERPRINT};
        has_set = true;
        configure("a", "b");
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || sd_event_new(&event) < 0 ||
                cluster_probes_new(&probes, event, NULL) < 0)
                return -1;
        check = cluster_probes_operations(probes);
        return 0;
}

static int done(void **state)
{
        probes = cluster_probes_free(probes);
        event = sd_event_unref(event);
        config = config_unref(config);
        return 0;
}

#define probes_test(test) cmocka_unit_test_setup_teardown(test, make, done)

static void on_ready(void *userdata)
{
        assert_ptr_equal(userdata, &n_ready);
        n_ready++;
}

static int start(const bool *chosen)
{
        return check.start(chosen, on_ready, &n_ready, check.userdata);
}

static void begin(void)
{
        static const bool all[] = {true, true};

        assert_int_equal(start(all), 0);
}

/* Returns the next answer. `expected`: what the operation returns with it. */
static JsonValue *next(int expected)
{
        JsonValue *document = NULL;
        char *text = NULL;
        int r;

        while ((r = check.next(&text, check.userdata)) == 1 && !text)
                assert_return_code(sd_event_run(event, UINT64_MAX), 0);
        assert_int_equal(r, expected);
        assert_int_equal(json_parse(&document, text, strlen(text)), 0);
        free(text);
        return document;
}

static void expect(int expected, const char *name, const char *account, int64_t index)
{
        CLEANUP(json_freep) JsonValue *answer = next(expected);
        const JsonValue *cluster = json_member(answer, "cluster");
        char text[OUTCOME_TEXT_MAX];
        int64_t number;

        json_get_text(text, sizeof(text), cluster, "name");
        assert_string_equal(text, name);
        json_get_text(text, sizeof(text), cluster, "account");
        assert_string_equal(text, account);
        assert_true(json_get_integer(&number, json_member(answer, "index")));
        assert_int_equal(number, index);
        assert_true(json_get_integer(&number, json_member(answer, "remaining")));
        assert_int_equal(number, expected);
}

static void test_each_cluster_is_asked_with_the_set_of_the_service(void **state)
{
        begin();
        expect(1, "a", FINGERPRINT, 0);
        has_set = false; /* the second one is started with what is on disk then */
        material.state = MATERIAL_STATE_CHANGING;
        expect(0, "b", "changing", 1);
        assert_int_equal(n_ready, 2);
}

static void test_without_a_set_the_reason_is_that_of_the_material(void **state)
{
        char reason[SUMMARY_TEXT_MAX];

        has_set = false;
        material.state = MATERIAL_STATE_MISSING;
        report.failed = true;
        report.n_problems = 1;
        report.problems[0] = (Problem){.rule = RULE_FILE_MISSING, .severity = SEVERITY_ERROR};
        strcpy(report.problems[0].text, "ca.pem does not exist");
        summary_material_reason(reason, sizeof(reason), &material);
        assert_non_null(strstr(reason, "ca.pem"));
        begin();
        expect(1, "a", reason, 0);
        expect(0, "b", reason, 1);
}

static void test_the_form_is_that_of_the_record(void **state)
{
        CLEANUP(json_freep) JsonValue *answer = NULL;
        char text[OUTCOME_TEXT_MAX];

        record.newlines = NEWLINES_ESCAPED;
        begin();
        answer = next(1);
        json_get_text(text, sizeof(text), json_member(answer, "cluster"), "payload_newlines");
        assert_string_equal(text, "escaped");
}

static void test_a_run_without_clusters_has_one_answer(void **state)
{
        static const bool none[2];
        CLEANUP(json_freep) JsonValue *answer = NULL;

        assert_int_equal(start(none), 0);
        answer = next(0);
        assert_true(json_is_null(json_member(answer, "cluster")));
        begin();
}

static void test_one_runs_at_a_time(void **state)
{
        configure("hang", "b");
        begin();
        assert_int_equal(start((const bool[]){true, true}), -EBUSY);
        check.end(check.userdata);
        configure("a", "b");
        begin();
        expect(1, "a", FINGERPRINT, 0);
        assert_int_equal(start((const bool[]){true, true}), -EBUSY);
        expect(0, "b", FINGERPRINT, 1);
        begin(); /* the last answer has ended it */
}

static void test_a_reload_leaves_a_run_with_its_configuration(void **state)
{
        begin();
        configure("c", "b"); /* frees the one before, unless the run has it */
        expect(1, "a", "the cluster is no longer configured", 0);
        expect(0, "b", FINGERPRINT, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                probes_test(test_each_cluster_is_asked_with_the_set_of_the_service),
                probes_test(test_without_a_set_the_reason_is_that_of_the_material),
                probes_test(test_the_form_is_that_of_the_record),
                probes_test(test_a_run_without_clusters_has_one_answer),
                probes_test(test_one_runs_at_a_time),
                probes_test(test_a_reload_leaves_a_run_with_its_configuration),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
