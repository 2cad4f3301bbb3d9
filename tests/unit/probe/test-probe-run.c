/* The prober is replaced: what it does depends on the name of the cluster. */

#include "tests/unit/test.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/json-reader.h"
#include "common/text.h"
#include "daemon/probe/probe-run.h"
#include "daemon/probe/prober.h"

#define CLUSTERS 4

static sd_event *event;
static ProbeRun *run;
static unsigned n_ready, n_contexts;

/* In the child: "crash", "wrong" and "hang" are what they say. It tells of its task. */
int prober_run(Probe *ret, const ProberTask *task)
{
        if (strcmp(task->cluster->name, "crash") == 0)
                (void)raise(SIGKILL);
        if (strcmp(task->cluster->name, "hang") == 0)
                pause();
        if (strcmp(task->cluster->name, "wrong") == 0)
                ret->n_findings = PROBE_FINDINGS_MAX + 1;
        ret->newlines = task->newlines;
        text_set(ret->account, sizeof(ret->account), task->reason);
        return 0;
}

static ProbeContext context_of(const ClusterConfig *cluster, void *userdata)
{
        assert_ptr_equal(userdata, &event);
        n_contexts++;
        return (ProbeContext){
                .payload_fd = -1, .fingerprint = "", .reason = "none", .newlines = NEWLINES_RAW};
}

static void on_ready(void *userdata)
{
        assert_ptr_equal(userdata, &event);
        n_ready++;
}

static Config *config_new(const char *const names[CLUSTERS], uint64_t timeout_usec)
{
        Config *config = calloc(1, sizeof(*config));

        assert_non_null(config);
        config->import_timeout_usec = timeout_usec;
        config->n_clusters = CLUSTERS;
        config->clusters = calloc(CLUSTERS, sizeof(*config->clusters));
        assert_non_null(config->clusters);
        for (size_t i = 0; i < CLUSTERS; i++) {
                ClusterConfig *cluster = &config->clusters[i];

                strcpy(cluster->name, names[i]);
                cluster->login.host = "db.example";
                cluster->login.user = "u";
                cluster->ledger = "";
                cluster->enabled = strcmp(names[i], "off") != 0;
        }
        return config;
}

static const char *const good[CLUSTERS] = {"a", "b", "c", "d"};

static void begin_with(
        const char *const names[CLUSTERS], const bool *chosen, unsigned parallel, uint64_t timeout)
{
        const ProbeRunHandlers handlers = {context_of, on_ready, &event};
        Config *config = config_new(names, timeout);

        assert_int_equal(probe_run_new(&run, event, config, chosen, parallel, &handlers), 0);
        config_unref(config); /* the run has its own */
}

static void begin(const char *const names[CLUSTERS], const bool *chosen, unsigned parallel)
{
        begin_with(names, chosen, parallel, 60 * USEC_PER_SEC);
}

static int make(void **state)
{
        sigset_t mask;

        n_ready = n_contexts = 0;
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || sd_event_new(&event) < 0 ? -1 : 0;
}

static int done(void **state)
{
        run = probe_run_free(run);
        event = sd_event_unref(event);
        return 0;
}

#define probes_test(test) cmocka_unit_test_setup_teardown(test, make, done)

/* Returns the document of the next result, and its place. */
static JsonValue *take(size_t *ret_cluster, size_t *ret_remaining)
{
        JsonValue *document = NULL;
        ProbeResult result = {0};
        int r;

        while ((r = probe_run_take(run, &result)) == -EAGAIN)
                if (!probe_run_start_one(run))
                        assert_return_code(sd_event_run(event, UINT64_MAX), 0);
        assert_int_equal(r, 1);
        assert_int_equal(json_parse(&document, result.json, strlen(result.json)), 0);
        free(result.json);
        *ret_cluster = result.cluster;
        if (ret_remaining)
                *ret_remaining = result.remaining;
        return document;
}

static void expect_text(const JsonValue *document, const char *key, const char *expected)
{
        char text[OUTCOME_TEXT_MAX];

        json_get_text(text, sizeof(text), document, key);
        assert_string_equal(text, expected);
}

static void expect_end(void)
{
        ProbeResult result;

        assert_int_equal(probe_run_take(run, &result), 0);
        assert_false(probe_run_start_one(run));
}

static void test_each_cluster_has_one_result(void **state)
{
        bool seen[CLUSTERS] = {false};

        begin(good, NULL, 2);
        for (size_t i = 0; i < CLUSTERS; i++) {
                size_t cluster, remaining;
                CLEANUP(json_freep) JsonValue *document = take(&cluster, &remaining);

                assert_true(cluster < CLUSTERS && !seen[cluster]);
                seen[cluster] = true;
                assert_int_equal(remaining, CLUSTERS - 1 - i);
                expect_text(document, "name", good[cluster]);
                expect_text(document, "import", "works");
                expect_text(document, "account", "none");
                expect_text(document, "payload_newlines", "raw");
        }
        expect_end();
        assert_int_equal(n_ready, CLUSTERS);
        assert_int_equal(n_contexts, CLUSTERS);
}

static void test_only_the_chosen_clusters_are_probed(void **state)
{
        static const bool chosen[CLUSTERS] = {false, true, false, true};
        bool seen[CLUSTERS] = {false};

        begin(good, chosen, 4);
        for (size_t i = 0; i < 2; i++) {
                size_t cluster;

                json_free(take(&cluster, NULL));
                seen[cluster] = true;
        }
        expect_end();
        assert_memory_equal(seen, chosen, sizeof(seen));
        assert_int_equal(n_contexts, 2);
}

static void test_no_chosen_cluster_is_the_end_at_once(void **state)
{
        static const bool chosen[CLUSTERS] = {false};

        begin(good, chosen, 4);
        expect_end();
}

static void test_no_more_than_the_limit_run_or_wait_to_be_taken(void **state)
{
        begin(good, NULL, 2);
        assert_true(probe_run_start_one(run));
        assert_true(probe_run_start_one(run));
        assert_false(probe_run_start_one(run));
        while (n_ready < 2)
                assert_return_code(sd_event_run(event, UINT64_MAX), 0);
        assert_false(probe_run_start_one(run));
        for (size_t i = 0; i < CLUSTERS; i++) {
                size_t cluster;

                json_free(take(&cluster, NULL));
        }
        expect_end();
}

static void test_a_disabled_cluster_has_a_result_without_a_process(void **state)
{
        static const char *const names[CLUSTERS] = {"off", "off", "off", "off"};

        begin(names, NULL, 1);
        for (size_t i = 0; i < CLUSTERS; i++) {
                size_t cluster;
                CLEANUP(json_freep) JsonValue *document = take(&cluster, NULL);

                assert_int_equal(cluster, i);
                expect_text(document, "import", "disabled");
        }
        expect_end();
        assert_int_equal(n_contexts, 0);
}

static void expect_finding(const JsonValue *document, const char *outcome, const char *text)
{
        const JsonValue *finding = json_element(json_member(document, "findings"), 0);
        char found[OUTCOME_TEXT_MAX];

        expect_text(document, "import", "fails");
        expect_text(finding, "outcome", outcome);
        json_get_text(found, sizeof(found), finding, "text");
        assert_non_null(strstr(found, text));
}

static void test_a_prober_that_gives_no_result_is_a_finding_of_its_cluster(void **state)
{
        static const char *const names[CLUSTERS] = {"crash", "wrong", "hang", "a"};

        begin_with(names, NULL, 4, 2 * USEC_PER_SEC);
        for (size_t i = 0; i < CLUSTERS; i++) {
                size_t cluster;
                CLEANUP(json_freep) JsonValue *document = take(&cluster, NULL);

                if (cluster == 0)
                        expect_finding(document, "crashed", "was terminated by signal 9");
                else if (cluster == 1)
                        expect_finding(document, "crashed", "invalid result");
                else if (cluster == 2)
                        expect_finding(document, "timed_out", "2s (import-timeout)");
                else
                        expect_text(document, "name", "a");
        }
        expect_end();
}

static void test_the_end_of_a_run_ends_its_processes(void **state)
{
        static const char *const names[CLUSTERS] = {"hang", "hang", "hang", "hang"};

        begin(names, NULL, 4);
        while (probe_run_start_one(run))
                ;
        run = probe_run_free(run);
        for (siginfo_t info = {0}; waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0;) {
                assert_int_equal(info.si_code, CLD_KILLED);
                assert_return_code(sd_event_run(event, UINT64_MAX), 0); /* reaps it */
        }
        assert_int_equal(errno, ECHILD);
        assert_int_equal(n_ready, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                probes_test(test_each_cluster_has_one_result),
                probes_test(test_only_the_chosen_clusters_are_probed),
                probes_test(test_no_chosen_cluster_is_the_end_at_once),
                probes_test(test_no_more_than_the_limit_run_or_wait_to_be_taken),
                probes_test(test_a_disabled_cluster_has_a_result_without_a_process),
                probes_test(test_a_prober_that_gives_no_result_is_a_finding_of_its_cluster),
                probes_test(test_the_end_of_a_run_ends_its_processes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
