#include "ctl/output/status-table.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/output/next-step.h"
#include "ctl/output/replication-text.h"

/* Columns: two spaces, the name, two spaces, and then these. */
#define NAME_MIN          8
#define STATE_WIDTH       14
#define FINGERPRINT_WIDTH 14 /* twelve digits are enough for people to tell sets apart */

#define COLUMN_GAP          2
#define WHEN_MAX            (TERMINAL_TIME_SIZE + 16)
#define REPLICATION_HEADING "REPLICATION"

#define DETAIL_INDENT 6

typedef struct Table {
        const Terminal *terminal;
        const StatusInfo *info;
        char *const *names;
        int n_names, name_width, when_width;
        bool has_replication; /* a cluster has it, and */
        bool has_column;      /* there is room for it beside the others */
} Table;

bool status_table_includes(const char *name, char *const *names, int n_names)
{
        for (int i = 0; i < n_names; i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return n_names == 0;
}

static bool includes_material(const Table *table, const char *name)
{
        if (table->n_names == 0)
                return true;
        for (size_t i = 0; i < table->info->n_clusters; i++) {
                const ClusterInfo *cluster = &table->info->clusters[i];

                if (status_table_includes(cluster->name, table->names, table->n_names) &&
                        strcmp(cluster->material, name) == 0)
                        return true;
        }
        return false;
}

static void widen(Table *table, const char *name)
{
        int width = (int)strlen(name);

        table->name_width = width > table->name_width ? width : table->name_width;
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
                terminal_time(time, terminal, cluster->imported_at_usec),
                cluster->imported_at_usec > 0 ? in_use[cluster->in_use] : "");
        return buffer;
}

static void measure_cluster(Table *table, int *replication_width, const ClusterInfo *cluster)
{
        char text[WHEN_MAX], word[REPLICATION_TEXT_WORD_MAX];
        int width = (int)strlen(when(text, table->terminal, cluster)) + COLUMN_GAP;

        widen(table, cluster->name);
        table->when_width = width > table->when_width ? width : table->when_width;
        replication_text_word(word, cluster);
        width = (int)strlen(word);
        *replication_width = width > *replication_width ? width : *replication_width;
        table->has_replication |= replication_text_is_known_of(cluster);
}

static Table table_of(
        const Terminal *terminal, const StatusInfo *info, char *const *names, int n_names)
{
        Table table = {terminal, info, names, n_names, .name_width = NAME_MIN};
        int replication_width = (int)strlen(REPLICATION_HEADING);

        for (size_t i = 0; i < info->n_materials; i++)
                if (includes_material(&table, info->materials[i].name))
                        widen(&table, info->materials[i].name);
        for (size_t i = 0; i < info->n_clusters; i++)
                if (status_table_includes(info->clusters[i].name, names, n_names))
                        measure_cluster(&table, &replication_width, &info->clusters[i]);
        table.has_column = table.has_replication &&
                COLUMN_GAP + table.name_width + COLUMN_GAP + STATE_WIDTH + FINGERPRINT_WIDTH +
                                table.when_width + replication_width <=
                        (int)terminal->columns;
        return table;
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
        char last[WHEN_MAX + sizeof(REPLICATION_HEADING)] = "WHEN";

        if (table->has_column)
                snprintf(last, sizeof(last), "%-*s%s", table->when_width, "WHEN",
                        REPLICATION_HEADING);
        put_heading(table, "CLUSTER", "IMPORTED", last);
}

static void put_row(
        const Table *table, const char *name, const char *state, const char *mark, const char *sum)
{
        fprintf(table->terminal->stream, "  %-*s  ", table->name_width, name);
        terminal_word(table->terminal, state, STATE_WIDTH);
        fprintf(table->terminal->stream, "%s%-*.12s%s", mark, FINGERPRINT_WIDTH,
                sum[0] != '\0' ? sum : "-", mark[0] != '\0' ? "\033[0m" : "");
}

static void put_rollout(const Terminal *terminal, const RolloutInfo *rollout)
{
        char line[STATUS_INFO_REASON_MAX + 128], time[TERMINAL_TIME_SIZE],
                waiting[64] = "", until[TERMINAL_TIME_SIZE + 16] = "";

        if (rollout->canary[0] == '\0')
                return;
        if (rollout->n_waiting > 0)
                snprintf(waiting, sizeof(waiting), "; %" PRIu64 " waiting", rollout->n_waiting);
        if (rollout->until_usec > 0)
                snprintf(until, sizeof(until), "; until %s",
                        terminal_time(time, terminal, rollout->until_usec));
        text_format(line, sizeof(line), "%s%s%s%s",
                rollout->state == WAVE_STOPPED ? "stopped: " : "",
                rollout->reason[0] != '\0' ? rollout->reason : "the set is proven", until, waiting);
        terminal_paragraph(terminal, DETAIL_INDENT, "rollout: ", line);
}

static void put_material(const Table *table, const MaterialInfo *material)
{
        const Terminal *terminal = table->terminal;
        uint64_t not_after = material->certificate.not_after_usec;
        char text[NEXT_STEP_MAX], date[CLOCK_TEXT_SIZE], time[TERMINAL_TIME_SIZE];

        put_row(table, material->name, material->state_text, "", material->fingerprint);
        if (!material->has_certificate)
                fputs("no certificate", terminal->stream);
        else if (not_after > terminal->now_usec)
                fprintf(terminal->stream, "until %s (%s)", clock_format_date(date, not_after),
                        terminal_time(time, terminal, not_after));
        else
                fprintf(terminal->stream, "expired %s", terminal_time(time, terminal, not_after));
        fputc('\n', terminal->stream);
        terminal_paragraph(terminal, DETAIL_INDENT, "", material->certificate.subject);
        for (size_t i = 0; i < material->n_problems; i++)
                terminal_paragraph(terminal, DETAIL_INDENT,
                        material->problems[i].severity == SEVERITY_ERROR ? "why:  " : "note: ",
                        material->problems[i].text);
        if (material->n_problems == 0 || material->not_responding_since_usec > 0)
                terminal_paragraph(terminal, DETAIL_INDENT, "why:  ", material->reason);
        next_step_material(text, sizeof(text), material);
        terminal_paragraph(terminal, DETAIL_INDENT, "next: ", text);
        next_step_material_command(text, sizeof(text), material);
        terminal_paragraph(terminal, DETAIL_INDENT, "run:  ", text);
        put_rollout(terminal, &material->rollout);
        if (strcmp(material->watch, "inotify") != 0)
                terminal_paragraph(terminal, DETAIL_INDENT, "watch: ", material->watch);
        if (material->missed_events > 0) {
                text_format(text, sizeof(text),
                        "%" PRIu64 " changes were found by the poll alone: this path reports no "
                        "events, or not all",
                        material->missed_events);
                terminal_paragraph(terminal, DETAIL_INDENT, "watch: ", text);
        }
}

static void append(
        char *line, size_t size, const char *before, const char *value, const char *after)
{
        size_t used = strlen(line);

        if (used > 0)
                used += (size_t)snprintf(line + used, size - used, "; ");
        snprintf(line + used, size - used, "%s%s%s", before, value, after);
}

static void put_delay(const Terminal *terminal, const ClusterInfo *cluster)
{
        char line[256] = "", time[TERMINAL_TIME_SIZE];

        if (cluster->state == CLUSTER_DISABLED)
                return;
        if (cluster->out_of_sync_since_usec > 0)
                append(line, sizeof(line), "out of sync for ",
                        terminal_age(time, terminal, cluster->out_of_sync_since_usec), "");
        if (cluster->state != CLUSTER_CURRENT && cluster->since_usec > 0) {
                append(line, sizeof(line), cluster->state_text, " for ",
                        terminal_age(time, terminal, cluster->since_usec));
        }
        if (cluster->next_attempt_usec > 0 && cluster->state != CLUSTER_IMPORTING) {
                bool due = cluster->next_attempt_usec <= terminal->now_usec;

                append(line, sizeof(line), "next try ",
                        due ? "is due" : terminal_time(time, terminal, cluster->next_attempt_usec),
                        "");
                snprintf(time, sizeof(time), "%" PRIu64, cluster->attempts);
                append(line, sizeof(line), "", time, " failed so far");
        }
        terminal_paragraph(terminal, DETAIL_INDENT, "late: ", line);
}

static void put_cluster(const Table *table, const ClusterInfo *cluster)
{
        const Terminal *terminal = table->terminal;
        const MaterialInfo *material = status_info_material(table->info, cluster->material);
        bool same = material && strcmp(material->fingerprint, cluster->imported) == 0;
        char text[NEXT_STEP_MAX], time[WHEN_MAX];

        put_row(table, cluster->name, cluster->state_text,
                terminal->color && !same && cluster->imported[0] != '\0' ? "\033[33m" : "",
                cluster->imported);
        fprintf(terminal->stream, "%-*s", table->has_column ? table->when_width : 0,
                when(time, terminal, cluster));
        if (table->has_column)
                replication_text_print_word(terminal, cluster);
        fputc('\n', terminal->stream);
        terminal_paragraph(terminal, DETAIL_INDENT, "why:  ", cluster->reason);
        if (strcmp(cluster->import_warning, cluster->reason) != 0)
                terminal_paragraph(terminal, DETAIL_INDENT, "note: ", cluster->import_warning);
        next_step_cluster(text, sizeof(text), cluster);
        terminal_paragraph(terminal, DETAIL_INDENT, "next: ", text);
        next_step_cluster_command(text, sizeof(text), cluster);
        terminal_paragraph(terminal, DETAIL_INDENT, "run:  ", text);
        put_delay(terminal, cluster);
        if (cluster->roll_back == TRISTATE_NO && cluster->state != CLUSTER_DISABLED)
                terminal_paragraph(terminal, DETAIL_INDENT, "rollback: ",
                        "there is no set to go back to if replication fails with a new one");
        if (table->n_names > 0 || replication_text_needs_lines(cluster) ||
                (table->has_replication && !table->has_column))
                replication_text_print_lines(terminal, DETAIL_INDENT, cluster, !table->has_column);
}

void status_table_print(
        const Terminal *terminal, const StatusInfo *info, char *const *names, int n_names)
{
        Table table = table_of(terminal, info, names, n_names);

        put_heading(&table, "MATERIAL", "ON DISK", "CERTIFICATE");
        for (size_t i = 0; i < info->n_materials; i++)
                if (includes_material(&table, info->materials[i].name))
                        put_material(&table, &info->materials[i]);
        fputc('\n', terminal->stream);
        put_cluster_heading(&table);
        for (size_t i = 0; i < info->n_clusters; i++)
                if (status_table_includes(info->clusters[i].name, names, n_names))
                        put_cluster(&table, &info->clusters[i]);
}

void status_table_print_problems(
        const Terminal *terminal, const StatusInfo *info, char *const *names, int n_names)
{
        Table table = table_of(terminal, info, names, n_names);

        table.has_replication = table.has_column = false;
        for (size_t i = 0; i < info->n_materials; i++)
                if (includes_material(&table, info->materials[i].name) &&
                        !material_state_is_good(info->materials[i].state))
                        put_material(&table, &info->materials[i]);
        for (size_t i = 0; i < info->n_clusters; i++)
                if (status_table_includes(info->clusters[i].name, names, n_names) &&
                        (info->clusters[i].state != CLUSTER_CURRENT ||
                                status_info_import_failed(&info->clusters[i])) &&
                        info->clusters[i].state != CLUSTER_DISABLED)
                        put_cluster(&table, &info->clusters[i]);
}
