#include "tests/unit/varlink/methods-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define CONTROL_GID 77

MethodsFixture fixture;

uid_t connection_peer_uid(const Connection *connection)
{
        return fixture.uid;
}

bool connection_peer_is_member(const Connection *connection, gid_t group)
{
        assert_int_equal(group, CONTROL_GID);
        return fixture.is_member;
}

void connection_stream(Connection *connection, connection_next_fn next_fn, void *userdata)
{
        fixture.streaming = true;
        fixture.next_fn = next_fn;
        fixture.next_userdata = userdata;
}

void connection_series(Connection *connection, connection_next_fn next_fn,
        connection_cancel_fn cancel_fn, void *userdata)
{
        fixture.next_fn = next_fn;
        fixture.cancel_fn = cancel_fn;
        fixture.next_userdata = userdata;
}

void connection_wake(Connection *connection)
{
        fixture.n_wakes++;
}

bool connection_is_behind(const Connection *connection)
{
        return fixture.is_behind;
}

void connection_postpone(Connection *connection)
{
        fixture.postponed = true;
}

void server_answer(Server *server, int r, const char *parameters, const char *error)
{
        fixture.later_result = r;
        free(fixture.answer);
        fixture.answer = parameters ? strdup(parameters) : NULL;
        fixture.error = error;
}

void server_publish(Server *server, const char *parameters)
{
        assert_true(fixture.n_events < 8);
        text_set(fixture.events[fixture.n_events++], sizeof(fixture.events[0]), parameters);
}

static ManagerStatus current_status(void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        return fixture.status.status;
}

static const Config *current_config(void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        return &fixture.config;
}

/* The state changes later, in schedule(). */
static void import_now(size_t cluster, bool by_hand, bool force, void *userdata)
{
        char *end = fixture.imports + strlen(fixture.imports);

        assert_ptr_equal(userdata, &fixture);
        snprintf(end, sizeof(fixture.imports) - (size_t)(end - fixture.imports), "%zu%s%s", cluster,
                force ? "!" : "", by_hand ? "+" : "");
}

static bool can_remove(size_t cluster, void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        return !fixture.is_busy[cluster];
}

static void remove_material(size_t cluster, void *userdata)
{
        char *end = fixture.removals + strlen(fixture.removals);

        assert_ptr_equal(userdata, &fixture);
        snprintf(end, sizeof(fixture.removals) - (size_t)(end - fixture.removals), "%zu", cluster);
}

/* Starts what import_now() has marked with force. */
static void schedule(void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        fixture.n_schedules++;
        for (const char *at = fixture.imports; (at = strchr(at, '!')); at++)
                fixture.status.cluster[at[-1] - '0'].state = CLUSTER_IMPORTING;
}

static void reload(void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        assert_true(fixture.postponed);
        fixture.n_reloads++;
}

static int try_reload(ConfigProblem *ret_problem, void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        fixture.n_trials++;
        if (fixture.trial_error == -EINVAL)
                config_problem_set(ret_problem, "/etc/a.conf", 7, "unknown key");
        return fixture.trial_error;
}

static int make_metrics(char **ret, void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        *ret = fixture.metrics_error < 0 ? NULL : strdup("up 1\n");
        return fixture.metrics_error;
}

static int start_check(
        const bool *chosen, check_ready_fn ready, void *ready_userdata, void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        assert_null(ready_userdata); /* the connection */
        if (fixture.check_error < 0)
                return fixture.check_error;
        fixture.n_checks++;
        fixture.ready = ready;
        fixture.checked[0] = '\0';
        for (size_t i = 0; i < fixture.status.status.n_clusters; i++)
                if (chosen[i])
                        text_append(fixture.checked, sizeof(fixture.checked), "%zu", i);
        return 0;
}

static int next_check(char **ret, void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        if (fixture.n_answers == 0)
                return 1;
        *ret = strdup("{\"remaining\":0}");
        return --fixture.n_answers > 0;
}

static void end_check(void *userdata)
{
        assert_ptr_equal(userdata, &fixture);
        fixture.check_ended = true;
}

static ManagerOperations operations = {
        .status = current_status,
        .config = current_config,
        .import_now = import_now,
        .can_remove = can_remove,
        .remove = remove_material,
        .schedule = schedule,
        .reload = reload,
        .try_reload = try_reload,
        .metrics = make_metrics,
        .check = {start_check, next_check, end_check, &fixture},
        .info = &fixture.info,
        .userdata = &fixture,
};

int fixture_make(void **state)
{
        fixture = (MethodsFixture){.info = {.version = "1.2.3", .pid = 42},
                .config = {.control_group = "", .control_gid = CONTROL_GID}};
        status_fixture_make(&fixture.status);
        fixture.status.status.n_clusters = 2;
        for (size_t i = 0; i < 2; i++)
                fixture.status.cluster_config[i].enabled = true;
        return 0;
}

int fixture_done(void **state)
{
        free(fixture.answer);
        fixture.answer = NULL;
        return 0;
}

int fixture_call(const char *method, const char *members)
{
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;
        char text[1024];

        fixture_done(NULL);
        fixture.error = NULL;
        fixture.postponed = false;
        snprintf(text, sizeof(text), "{\"method\":\"io.binlogssl.Manager.%s\"%s}", method, members);
        assert_int_equal(varlink_call_parse(&call, text, strlen(text)), 0);
        return methods_answer(NULL, &call, &fixture.answer, &fixture.error, &operations);
}

int fixture_next(char **ret)
{
        *ret = NULL;
        return fixture.next_fn(NULL, &fixture.cursor, ret, fixture.next_userdata);
}

void fixture_expect(const char *method, const char *members, const char *error, const char *answer)
{
        assert_int_equal(fixture_call(method, members), 0);
        if (error && fixture.error)
                assert_string_equal(fixture.error, error);
        else
                assert_ptr_equal(fixture.error, error);
        if (answer && fixture.answer)
                assert_string_equal(fixture.answer, answer);
        else
                assert_ptr_equal(fixture.answer, answer);
}
