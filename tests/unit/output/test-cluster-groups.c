#include "tests/unit/test.h"

#include <string.h>

#include "ctl/output/cluster-groups.h"

#define N_CLUSTERS 5

static ClusterInfo clusters[N_CLUSTERS];
static const StatusInfo info = {.clusters = clusters, .n_clusters = N_CLUSTERS};

static int make(void **state)
{
        for (unsigned i = 0; i < N_CLUSTERS; i++) {
                clusters[i] = (ClusterInfo){.state = CLUSTER_CURRENT};
                snprintf(clusters[i].name, sizeof(clusters[i].name), "%u", i);
        }
        return 0;
}

static void break_cluster(unsigned i, Health health, const char *reason)
{
        clusters[i].health = health;
        clusters[i].state = health == HEALTH_CRITICAL ? CLUSTER_HELD : CLUSTER_RETRYING;
        strcpy(clusters[i].reason, reason);
}

static bool all(const ClusterInfo *cluster, const void *userdata)
{
        return true;
}

/* The names of the clusters, with a blank between two groups. */
static void expect(const char *expected, bool apart)
{
        CLEANUP(cluster_groups_done) ClusterGroups groups = {0};
        char names[64] = "";

        assert_int_equal(cluster_groups_make(&groups, &info, all, NULL, apart), 0);
        for (size_t i = 0; i < groups.n_groups; i++) {
                strcat(names, i > 0 ? " " : "");
                for (size_t k = 0; k < groups.groups[i].n; k++)
                        strcat(names, groups.groups[i].clusters[k]->name);
        }
        assert_string_equal(names, expected);
}

static void test_clusters_without_a_problem_are_one_group_in_their_order(void **state)
{
        expect("01234", false);
        expect("0 1 2 3 4", true);
}

static void test_the_worst_come_first_and_a_cause_once(void **state)
{
        break_cluster(1, HEALTH_WARNING, "no route");
        break_cluster(2, HEALTH_CRITICAL, "denied");
        break_cluster(3, HEALTH_WARNING, "no route");
        break_cluster(4, HEALTH_CRITICAL, "denied");
        expect("24 13 0", false);
        strcpy(clusters[4].next_step, "GRANT it");
        expect("2 4 13 0", false);
        strcpy(clusters[3].import_warning, "not tested");
        expect("2 4 1 3 0", false);
}

static void test_a_health_of_a_newer_daemon_comes_first(void **state)
{
        clusters[3].health = _HEALTH_MAX;
        expect("3 0124", false);
}

static void test_replication_that_needs_its_own_lines_is_a_cause(void **state)
{
        for (unsigned i = 0; i < N_CLUSTERS; i++)
                clusters[i].replication = (Replication){.known = true,
                        .configured = true,
                        .io_running = "Yes",
                        .sql_running = "Yes",
                        .lag_known = true,
                        .lag_sec = i,
                        .source_port = i};
        expect("01234", false);
        for (unsigned i = 2; i < N_CLUSTERS; i++)
                strcpy(clusters[i].replication.io_running, "No");
        clusters[3].replication.source_port = clusters[4].replication.source_port = 2;
        strcpy(clusters[4].replication.io_error, "another");
        expect("01 23 4", false);
}

static void test_of_a_group_the_longest_delay_and_the_next_attempt_count(void **state)
{
        const ClusterInfo *members[] = {&clusters[0], &clusters[1], &clusters[2]};
        const ClusterGroup group = {members, 3};

        assert_int_equal(cluster_group_next_attempt_usec(&group), 0);
        for (unsigned i = 0; i < 3; i++)
                clusters[i].since_usec = 50;
        clusters[1].out_of_sync_since_usec = 10;
        clusters[2].out_of_sync_since_usec = 20;
        clusters[0].next_attempt_usec = 9;
        clusters[2].next_attempt_usec = 7;
        assert_ptr_equal(cluster_group_latest(&group), &clusters[1]);
        assert_int_equal(cluster_group_next_attempt_usec(&group), 7);
}

#define group_test(test) cmocka_unit_test_setup(test, make)

int main(void)
{
        const struct CMUnitTest tests[] = {
                group_test(test_clusters_without_a_problem_are_one_group_in_their_order),
                group_test(test_the_worst_come_first_and_a_cause_once),
                group_test(test_a_health_of_a_newer_daemon_comes_first),
                group_test(test_replication_that_needs_its_own_lines_is_a_cause),
                group_test(test_of_a_group_the_longest_delay_and_the_next_attempt_count),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
