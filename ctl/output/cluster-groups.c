#include "ctl/output/cluster-groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output/replication-text.h"

static int compare_numbers(uint64_t a, uint64_t b)
{
        return (a > b) - (a < b);
}

static int compare_replication(const ClusterInfo *a, const ClusterInfo *b)
{
        const Replication *x = &a->replication, *y = &b->replication;
        int r = compare_numbers(replication_text_needs_lines(a), replication_text_needs_lines(b));

        if (r != 0 || !replication_text_needs_lines(a))
                return r;
        if ((r = strcmp(x->source_host, y->source_host)) != 0 ||
                (r = compare_numbers(x->source_port, y->source_port)) != 0 ||
                (r = compare_numbers(x->tls, y->tls)) != 0 ||
                (r = strcmp(x->io_error, y->io_error)) != 0)
                return r;
        return strcmp(x->sql_error, y->sql_error);
}

/* A health that is not known may be a bad one: its number is the largest. */
static int compare_causes(const ClusterInfo *a, const ClusterInfo *b)
{
        int r = compare_numbers(b->health, a->health);

        if (r != 0 || (r = compare_numbers(b->state, a->state)) != 0 ||
                (r = strcmp(a->reason, b->reason)) != 0 ||
                (r = strcmp(a->next_step, b->next_step)) != 0 ||
                (r = strcmp(a->import_warning, b->import_warning)) != 0 ||
                (r = compare_numbers(a->roll_back, b->roll_back)) != 0)
                return r;
        return compare_replication(a, b);
}

/* Equal ones stay in the order of the configuration: both are elements of one array. */
static int compare(const void *a, const void *b)
{
        const ClusterInfo *first = *(const ClusterInfo *const *)a;
        const ClusterInfo *second = *(const ClusterInfo *const *)b;
        int r = compare_causes(first, second);

        return r != 0 ? r : (first > second) - (first < second);
}

int cluster_groups_make(ClusterGroups *ret, const StatusInfo *info,
        bool (*includes)(const ClusterInfo *cluster, const void *userdata), const void *userdata,
        bool apart)
{
        CLEANUP(cluster_groups_done)
        ClusterGroups groups = {
                .clusters = calloc(info->n_clusters + 1, sizeof(*groups.clusters)),
                .groups = calloc(info->n_clusters + 1, sizeof(*groups.groups)),
        };

        if (!groups.clusters || !groups.groups)
                return -ENOMEM;
        for (size_t i = 0; i < info->n_clusters; i++)
                if (includes(&info->clusters[i], userdata))
                        groups.clusters[groups.n_clusters++] = &info->clusters[i];
        qsort(groups.clusters, groups.n_clusters, sizeof(*groups.clusters), compare);
        for (size_t i = 0; i < groups.n_clusters; i++) {
                if (i == 0 || apart ||
                        compare_causes(groups.clusters[i - 1], groups.clusters[i]) != 0)
                        groups.groups[groups.n_groups++] =
                                (ClusterGroup){.clusters = &groups.clusters[i]};
                groups.groups[groups.n_groups - 1].n++;
        }
        *ret = groups;
        groups = (ClusterGroups){0};
        return 0;
}

void cluster_groups_done(ClusterGroups *groups)
{
        free(groups->clusters);
        free(groups->groups);
        *groups = (ClusterGroups){0};
}

static uint64_t waits_since_usec(const ClusterInfo *cluster)
{
        return cluster->out_of_sync_since_usec > 0 ? cluster->out_of_sync_since_usec
                                                   : cluster->since_usec;
}

const ClusterInfo *cluster_group_latest(const ClusterGroup *group)
{
        const ClusterInfo *latest = group->clusters[0];

        for (size_t i = 1; i < group->n; i++)
                if (waits_since_usec(group->clusters[i]) < waits_since_usec(latest))
                        latest = group->clusters[i];
        return latest;
}

uint64_t cluster_group_next_attempt_usec(const ClusterGroup *group)
{
        uint64_t next = 0;

        for (size_t i = 0; i < group->n; i++) {
                uint64_t usec = group->clusters[i]->next_attempt_usec;

                if (usec > 0 && (next == 0 || usec < next))
                        next = usec;
        }
        return next;
}
