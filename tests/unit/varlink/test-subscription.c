/*
 * Subscribe from the socket to the manager's state: server, connections and methods are real, the
 * clusters are values of this test.
 */

#include "tests/unit/test.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json-reader.h"
#include "common/macro.h"
#include "daemon/varlink/methods.h"
#include "tests/unit/conversation.h"
#include "tests/unit/status-fixture.h"

#define SUBSCRIBE "{\"method\":\"io.binlogssl.Manager.Subscribe\",\"more\":true}"

/* The `since` of a cluster is its version; each change of any cluster takes the next one. */
static struct {
        StatusFixture fixture;
        ClusterConfig configs[CONFIG_CLUSTERS_MAX];
        ClusterStatus clusters[CONFIG_CLUSTERS_MAX];
        const ClusterStatus *list[CONFIG_CLUSTERS_MAX]; /* the configuration in force */
        size_t n_list;
        uint64_t version;
        ManagerInfo info;
        int due; /* a cluster that schedule() changes, or -1 */
        unsigned n_made;
} manager;

/* What a client has received. */
static struct {
        int fd;
        char input[1 << 16];
        size_t size;
        uint64_t versions[CONFIG_CLUSTERS_MAX]; /* 0: not shown, or removed */
        uint64_t seen[CONFIG_CLUSTERS_MAX];     /* the newest version, also of a removed one */
        unsigned n_states, n_changes, n_ready;
        bool gone;
} client;

static ManagerStatus current_status(void *userdata)
{
        ManagerStatus status = manager.fixture.status;

        status.clusters = manager.list;
        status.n_clusters = manager.n_list;
        manager.n_made++;
        return status;
}

static void publish(const char *event, const ClusterStatus *cluster)
{
        methods_publish(conversation_server(), event, NULL, cluster, NULL);
}

static void change(size_t cluster)
{
        manager.clusters[cluster].since_usec = ++manager.version;
        publish("changed", &manager.clusters[cluster]);
}

/* Two transitions in one pass: the first is no longer true when the state is made. */
static void schedule(void *userdata)
{
        int due = manager.due;

        manager.due = -1;
        for (size_t i = 0; due >= 0 && i < manager.n_list; i++)
                if (manager.list[i] == &manager.clusters[due]) {
                        change((size_t)due);
                        change((size_t)due);
                }
}

static bool is_configured(size_t cluster)
{
        for (size_t i = 0; i < manager.n_list; i++)
                if (manager.list[i] == &manager.clusters[cluster])
                        return true;
        return false;
}

static ManagerOperations operations = {
        .status = current_status, .schedule = schedule, .info = &manager.info};

static int make(void **state)
{
        memset(&manager, 0, sizeof(manager));
        status_fixture_make(&manager.fixture);
        manager.due = -1;
        manager.info.version = "1";
        for (size_t i = 0; i < CONFIG_CLUSTERS_MAX; i++) {
                manager.configs[i] = manager.fixture.cluster_config[0];
                snprintf(manager.configs[i].name, CONFIG_NAME_MAX, "c%zu", i);
                manager.clusters[i] = manager.fixture.cluster[0];
                manager.clusters[i].config = &manager.configs[i];
                manager.clusters[i].since_usec = ++manager.version;
                manager.list[i] = &manager.clusters[i];
        }
        return conversation_make_with(state, methods_answer, &operations);
}

#define subscription_test(test) cmocka_unit_test_setup_teardown(test, make, conversation_remove)

static void subscribe(void)
{
        memset(&client, 0, sizeof(client));
        client.fd = conversation_connect();
        assert_int_equal(send(client.fd, SUBSCRIBE, sizeof(SUBSCRIBE), 0), sizeof(SUBSCRIBE));
}

static void handle_cluster(const char *event, const JsonValue *cluster)
{
        const char *name = json_get_string(json_member(cluster, "name"));
        int64_t version;
        size_t i;

        assert_non_null(name);
        i = (size_t)atoi(name + 1);
        assert_true(json_get_integer(&version, json_member(cluster, "since")));
        /* Time never runs backwards, and what was removed comes back only as another one. */
        assert_true((uint64_t)version >= client.seen[i]);
        if (strcmp(event, "removed") == 0) {
                client.versions[i] = 0;
                client.seen[i] = (uint64_t)version + 1;
                return;
        }
        client.versions[i] = client.seen[i] = (uint64_t)version;
        if (strcmp(event, "state") == 0)
                assert_int_equal(client.n_ready, 0);
        client.n_states += strcmp(event, "state") == 0;
        client.n_changes += strcmp(event, "changed") == 0;
}

static void handle_message(const char *text, size_t size)
{
        CLEANUP(json_freep) JsonValue *message = NULL;
        const JsonValue *parameters, *cluster;
        const char *event;

        assert_int_equal(json_parse(&message, text, size), 0);
        parameters = json_member(message, "parameters");
        event = json_get_string(json_member(parameters, "event"));
        assert_non_null(event);
        cluster = json_member(parameters, "cluster");
        if (json_is_object(cluster))
                handle_cluster(event, cluster);
        client.n_ready += strcmp(event, "ready") == 0;
}

/* Reads up to `n` messages of those that have arrived. Returns true if it read any. */
static bool read_messages(unsigned n)
{
        unsigned n_read = 0;

        while (n_read < n) {
                char *end = memchr(client.input, '\0', client.size);
                ssize_t r;

                if (end) {
                        size_t size = (size_t)(end - client.input) + 1;

                        handle_message(client.input, size - 1);
                        client.size -= size;
                        memmove(client.input, client.input + size, client.size);
                        n_read++;
                        continue;
                }
                r = recv(client.fd, client.input + client.size, sizeof(client.input) - client.size,
                        MSG_DONTWAIT);
                if (r <= 0) {
                        client.gone = r == 0 || errno != EAGAIN;
                        break;
                }
                client.size += (size_t)r;
        }
        return n_read > 0;
}

static void read_all(void)
{
        do {
                conversation_settle();
        } while (read_messages(1000));
}

static void expect_truth(void)
{
        assert_false(client.gone);
        assert_int_equal(client.n_ready, 1);
        for (size_t i = 0; i < CONFIG_CLUSTERS_MAX; i++)
                assert_int_equal(client.versions[i],
                        is_configured(i) ? clock_wall_at_usec(manager.clusters[i].since_usec) : 0);
}

static void fill(char *text, size_t size)
{
        memset(text, 'x', size - 1);
        text[size - 1] = '\0';
}

/* Of all clusters: they share record and replication. */
static void make_texts_long(void)
{
        static char host[CONFIG_HOST_MAX], text[OUTCOME_TEXT_MAX], next[OUTCOME_NEXT_STEP_MAX];
        Record *record = &manager.fixture.record[0];
        Replication *replication = &manager.fixture.replication[0];

        fill(host, sizeof(host));
        status_fixture_fail(&manager.fixture, 0, CLUSTER_HELD, OUTCOME_REJECTED, "");
        fill(text, sizeof(text));
        fill(next, sizeof(next));
        record->attempt.outcome.text = text;
        record->attempt.outcome.next_step = next;
        replication->known = true;
        replication->configured = true;
        fill(replication->io_error, sizeof(replication->io_error));
        for (size_t i = 0; i < CONFIG_CLUSTERS_MAX; i++) {
                manager.configs[i].login.host = host;
                manager.clusters[i].state = CLUSTER_HELD;
        }
}

static void test_a_subscriber_to_the_most_clusters_gets_all_that_it_is_owed(void **state)
{
        manager.n_list = CONFIG_CLUSTERS_MAX;
        make_texts_long();
        subscribe();
        conversation_settle();
        for (size_t i = 0; i < CONFIG_CLUSTERS_MAX; i++)
                change(i);
        read_all();
        expect_truth();
        assert_int_equal(client.n_states, CONFIG_CLUSTERS_MAX);
        assert_int_equal(client.n_changes, CONFIG_CLUSTERS_MAX);
        close(client.fd);
}

static void test_the_state_is_made_as_far_as_the_subscriber_reads(void **state)
{
        unsigned before;

        manager.n_list = CONFIG_CLUSTERS_MAX;
        subscribe();
        conversation_settle();
        assert_in_range(manager.n_made, 1, CONFIG_CLUSTERS_MAX / 2);
        before = manager.n_made;
        assert_true(read_messages(100));
        conversation_settle();
        assert_in_range(manager.n_made, before + 1, before + 200);
        close(client.fd);
}

static void test_a_turn_makes_one_state(void **state)
{
        unsigned before;

        manager.n_list = 20;
        subscribe();
        do {
                before = manager.n_made;
                assert_true(conversation_turn());
                assert_in_range(manager.n_made - before, 0, 1);
        } while (manager.n_made < 20);
        read_all();
        expect_truth();
        close(client.fd);
}

static void test_a_cluster_that_is_removed_is_not_shown_afterwards(void **state)
{
        manager.n_list = 20;
        subscribe();
        while (manager.n_made < 10) /* a part of the state is made */
                assert_true(conversation_turn());
        manager.n_list = 3;
        for (size_t i = 3; i < 20; i++)
                publish("removed", &manager.clusters[i]);
        manager.info.generation++;
        publish("reloaded", NULL);
        read_all();
        expect_truth();
        close(client.fd);
}

/* A reload that chooses among some clusters and puts them in another order, in the manner of
 * inventory_apply(): the new state is in force when what was removed is published. */
static void reload(size_t n)
{
        const ClusterStatus *old[CONFIG_CLUSTERS_MAX];
        size_t n_old = manager.n_list, first = (size_t)rand() % n;

        memcpy(old, manager.list, n_old * sizeof(*old));
        manager.n_list = 0;
        for (size_t i = 0; i < n; i++)
                if (rand() % 3 > 0)
                        manager.list[manager.n_list++] = &manager.clusters[(first + i) % n];
        for (size_t i = 0; i < n_old; i++)
                if (!is_configured((size_t)(old[i] - manager.clusters)))
                        publish("removed", old[i]);
        manager.info.generation++;
        publish("reloaded", NULL);
        for (size_t i = 0; i < manager.n_list; i++) {
                bool is_new = true;

                for (size_t k = 0; k < n_old; k++)
                        is_new = is_new && old[k] != manager.list[i];
                if (is_new)
                        change((size_t)(manager.list[i] - manager.clusters));
        }
}

static void disturb(size_t n)
{
        switch (rand() % 8) {
        case 0:
                reload(n);
                break;
        case 1:
                manager.due = rand() % (int)n;
                break;
        case 2:
        case 3:
                if (manager.n_list > 0)
                        change((size_t)(manager.list[(size_t)rand() % manager.n_list] -
                                manager.clusters));
                break;
        case 4:
                read_messages(1 + (unsigned)rand() % 5);
                break;
        default:
                for (int turns = rand() % 6; turns > 0; turns--)
                        conversation_turn();
        }
}

static void test_any_order_of_events_ends_with_the_true_state(void **state)
{
        const size_t n = 12;

        for (unsigned seed = 0; seed < 500; seed++) {
                srand(seed);
                manager.n_list = n;
                for (size_t i = 0; i < n; i++)
                        manager.list[i] = &manager.clusters[i];
                subscribe();
                for (int steps = 0; steps < 60; steps++)
                        disturb(n);
                schedule(NULL);
                read_all();
                expect_truth();
                close(client.fd);
                conversation_settle();
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                subscription_test(test_a_subscriber_to_the_most_clusters_gets_all_that_it_is_owed),
                subscription_test(test_the_state_is_made_as_far_as_the_subscriber_reads),
                subscription_test(test_a_turn_makes_one_state),
                subscription_test(test_a_cluster_that_is_removed_is_not_shown_afterwards),
                subscription_test(test_any_order_of_events_ends_with_the_true_state),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
