#include "ctl/output/status-table.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/output/cluster-groups.h"
#include "ctl/output/replication-text.h"
#include "ctl/output/status-details.h"

/* Columns: two spaces, the name, two spaces, and then these. */
#define NAME_MIN          8
#define STATE_WIDTH       14
#define FINGERPRINT_WIDTH 14 /* twelve digits are enough for people to tell sets apart */
#define FINGERPRINT_SHORT 13 /* with NUL */
#define COLUMN_GAP        2
#define WHEN_MAX          (TERMINAL_TIME_SIZE + 16)

/* Of a group with a problem, so that its next step is on the first ten lines of a terminal. */
#define GROUP_ROWS_MAX 3

typedef struct Table {
        const Terminal *terminal;
        const StatusInfo *info;
        const StatusSelection *selection;
        ClusterGroups groups;
        int name_width;
        int replication_width; /* 0: no cluster has it */
        bool has_when;         /* there is room for it beside the others */
} Table;

bool status_table_includes(const char *name, char *const *names, int n_names)
{
        for (int i = 0; i < n_names; i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return n_names == 0;
}

static bool are_named(const StatusSelection *selection)
{
        return selection->n_names > 0 && !selection->problems;
}

static bool has_problem(const ClusterInfo *cluster)
{
        return cluster->health != HEALTH_OK ||
                (cluster->state != CLUSTER_CURRENT && cluster->state != CLUSTER_DISABLED);
}

static bool includes_cluster(const ClusterInfo *cluster, const void *userdata)
{
        const StatusSelection *selection = userdata;

        if (!status_table_includes(cluster->name, selection->names, selection->n_names))
                return false;
        return !selection->problems || has_problem(cluster);
}

/* That of a cluster, also of one that has no problem itself. */
static bool includes_material(const Table *table, const MaterialInfo *material)
{
        const StatusSelection *selection = table->selection;

        if (selection->problems && material->health == HEALTH_OK &&
                material_state_is_good(material->state))
                return false;
        for (size_t i = 0; i < table->info->n_clusters && selection->n_names > 0; i++) {
                const ClusterInfo *cluster = &table->info->clusters[i];

                if (strcmp(cluster->material, material->name) == 0 &&
                        status_table_includes(cluster->name, selection->names, selection->n_names))
                        return true;
        }
        return selection->n_names == 0;
}

static void widen(int *width, const char *text)
{
        int own = (int)strlen(text);

        *width = own > *width ? own : *width;
}

/* When the set was imported, and whether it is in use where that is known. */
static const char *when(
        char buffer[static WHEN_MAX], const Terminal *terminal, const ClusterInfo *cluster)
{
        static const char *const in_use[] = {[TRISTATE_UNKNOWN] = "",
                [TRISTATE_NO] = ", not in use",
                [TRISTATE_YES] = ", in use"};
        char time[TERMINAL_TIME_SIZE];

        text_format(buffer, WHEN_MAX, "%s%s",
                terminal_rough_time(time, terminal, cluster->imported_at_usec),
                cluster->imported_at_usec > 0 ? in_use[cluster->in_use] : "");
        return buffer;
}

static void measure(Table *table)
{
        int when_width = 0, replication_width = (int)strlen("REPLICATION");
        char text[WHEN_MAX], word[REPLICATION_TEXT_WORD_MAX];

        table->name_width = NAME_MIN;
        for (size_t i = 0; i < table->info->n_materials; i++)
                if (includes_material(table, &table->info->materials[i]))
                        widen(&table->name_width, table->info->materials[i].name);
        for (size_t i = 0; i < table->groups.n_clusters; i++) {
                const ClusterInfo *cluster = table->groups.clusters[i];

                widen(&table->name_width, cluster->name);
                widen(&when_width, when(text, table->terminal, cluster));
                if (!replication_text_is_known_of(cluster))
                        continue;
                replication_text_word(word, cluster);
                widen(&replication_width, word);
                table->replication_width = replication_width + COLUMN_GAP;
        }
        table->has_when = !table->terminal->wraps ||
                COLUMN_GAP + table->name_width + COLUMN_GAP + STATE_WIDTH + FINGERPRINT_WIDTH +
                                table->replication_width + when_width <=
                        (int)table->terminal->columns;
}

static void put_heading(const Table *table, const char *name, const char *third, const char *rest)
{
        char line[160];

        snprintf(line, sizeof(line), "  %-*s  %-*s%-*s%s", table->name_width, name, STATE_WIDTH,
                "STATE", FINGERPRINT_WIDTH, third, rest);
        terminal_heading(table->terminal, line);
}

static void put_cluster_heading(const Table *table)
{
        const char *when = table->has_when ? "WHEN" : "";
        char rest[REPLICATION_TEXT_WORD_MAX + 16];

        snprintf(rest, sizeof(rest), "%-*s%s", table->has_when ? table->replication_width : 0,
                table->replication_width > 0 ? "REPLICATION" : "", when);
        put_heading(table, "CLUSTER", "IMPORTED", rest);
}

static void put_row(
        const Table *table, const char *name, const char *state, const char *mark, const char *sum)
{
        char digits[FINGERPRINT_SHORT];

        text_set(digits, sizeof(digits), sum[0] != '\0' ? sum : "-");
        fprintf(table->terminal->stream, "  %-*s  ", table->name_width, name);
        terminal_word(table->terminal, state, STATE_WIDTH);
        fprintf(table->terminal->stream, "%s%-*s%s", mark, FINGERPRINT_WIDTH, digits,
                mark[0] != '\0' ? "\033[0m" : "");
}

static void put_material(const Table *table, const MaterialInfo *material)
{
        const Terminal *terminal = table->terminal;
        uint64_t not_after = material->certificate.not_after_usec;
        char date[CLOCK_TEXT_SIZE], time[TERMINAL_TIME_SIZE];

        put_row(table, material->name, material->state_text, "", material->fingerprint);
        if (!material->has_certificate)
                fputs("no certificate", terminal->stream);
        else if (not_after > terminal->now_usec)
                fprintf(terminal->stream, "until %s (%s)", clock_format_date(date, not_after),
                        terminal_time(time, terminal, not_after));
        else
                fprintf(terminal->stream, "expired %s", terminal_time(time, terminal, not_after));
        fputc('\n', terminal->stream);
        status_details_material(terminal, material);
}

static void put_cluster(const Table *table, const ClusterInfo *cluster)
{
        const Terminal *terminal = table->terminal;
        const MaterialInfo *material = status_info_material(table->info, cluster->material);
        bool same = material && strcmp(material->fingerprint, cluster->imported) == 0;
        char text[WHEN_MAX];

        put_row(table, cluster->name, cluster->state_text,
                terminal->color && !same && cluster->imported[0] != '\0' ? "\033[33m" : "",
                cluster->imported);
        if (table->replication_width > 0)
                replication_text_print_word(
                        terminal, cluster, table->has_when ? table->replication_width : 0);
        fprintf(terminal->stream, "%s\n", table->has_when ? when(text, terminal, cluster) : "");
}

static void put_materials(const Table *table)
{
        put_heading(table, "MATERIAL", "ON DISK", "CERTIFICATE");
        for (size_t i = 0; i < table->info->n_materials; i++)
                if (includes_material(table, &table->info->materials[i]))
                        put_material(table, &table->info->materials[i]);
}

static void put_group(const Table *table, const ClusterGroup *group)
{
        bool all = !table->terminal->wraps || table->selection->problems ||
                group->n <= GROUP_ROWS_MAX || !has_problem(group->clusters[0]);
        size_t n = all ? group->n : GROUP_ROWS_MAX - 1;

        for (size_t i = 0; i < n; i++)
                put_cluster(table, group->clusters[i]);
        if (n < group->n)
                fprintf(table->terminal->stream,
                        "  +%zu more with the same problem; all: binlog-sslctl status --problems\n",
                        group->n - n);
        status_details_clusters(table->terminal, group, are_named(table->selection));
}

static void put_clusters(const Table *table)
{
        put_cluster_heading(table);
        for (size_t i = 0; i < table->groups.n_groups; i++)
                put_group(table, &table->groups.groups[i]);
}

/* A good material would push the next step for a cluster off the first lines. */
static bool clusters_are_first(const Table *table)
{
        Health materials = HEALTH_OK, clusters = HEALTH_OK;

        for (size_t i = 0; i < table->info->n_materials; i++)
                if (includes_material(table, &table->info->materials[i]) &&
                        table->info->materials[i].health > materials)
                        materials = table->info->materials[i].health;
        for (size_t i = 0; i < table->groups.n_clusters; i++)
                if (table->groups.clusters[i]->health > clusters)
                        clusters = table->groups.clusters[i]->health;
        return clusters > materials;
}

int status_table_print(
        const Terminal *terminal, const StatusInfo *info, const StatusSelection *selection)
{
        Table table = {.terminal = terminal, .info = info, .selection = selection};
        bool has_materials = false, has_clusters, reversed;
        int r = cluster_groups_make(
                &table.groups, info, includes_cluster, selection, are_named(selection));

        if (r < 0)
                return r;
        measure(&table);
        for (size_t i = 0; i < info->n_materials; i++)
                has_materials |= includes_material(&table, &info->materials[i]);
        has_clusters = table.groups.n_groups > 0;
        reversed = clusters_are_first(&table);
        if (reversed)
                put_clusters(&table);
        if (has_materials) {
                if (reversed)
                        fputc('\n', terminal->stream);
                put_materials(&table);
        }
        if (!reversed && has_clusters) {
                if (has_materials)
                        fputc('\n', terminal->stream);
                put_clusters(&table);
        }
        cluster_groups_done(&table.groups);
        return 0;
}
