#include "ctl/table.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/advice.h"

/* Columns: two blanks, the name, and then these. */
#define NAME_MIN          8
#define STATE_WIDTH       14
#define FINGERPRINT_WIDTH 14 /* twelve digits name a set well enough for people */

#define DETAIL_INDENT 6

typedef struct Table {
        const Page *page;
        const View *view;
        char *const *names;
        int n_names, name_width;
} Table;

bool table_shows(const char *name, char *const *names, int n_names)
{
        for (int i = 0; i < n_names; i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return n_names == 0;
}

static bool shows_material(const Table *table, const char *name)
{
        if (table->n_names == 0)
                return true;
        for (size_t i = 0; i < table->view->n_clusters; i++) {
                const ClusterView *cluster = &table->view->clusters[i];

                if (table_shows(cluster->name, table->names, table->n_names) &&
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

static Table table_on(const Page *page, const View *view, char *const *names, int n_names)
{
        Table table = {page, view, names, n_names, NAME_MIN};

        for (size_t i = 0; i < view->n_materials; i++)
                if (shows_material(&table, view->materials[i].name))
                        widen(&table, view->materials[i].name);
        for (size_t i = 0; i < view->n_clusters; i++)
                if (table_shows(view->clusters[i].name, names, n_names))
                        widen(&table, view->clusters[i].name);
        return table;
}

static void put_heading(const Table *table, const char *name, const char *third, const char *rest)
{
        char line[160];

        snprintf(line, sizeof(line), "  %-*s  %-*s%-*s%s", table->name_width, name, STATE_WIDTH,
                "STATE", FINGERPRINT_WIDTH, third, rest);
        page_heading(table->page, line);
}

static void put_row(
        const Table *table, const char *name, const char *state, const char *mark, const char *sum)
{
        fprintf(table->page->stream, "  %-*s  ", table->name_width, name);
        page_word(table->page, state, STATE_WIDTH);
        fprintf(table->page->stream, "%s%-*.12s%s", mark[0] != '\0' ? mark : "", FINGERPRINT_WIDTH,
                sum[0] != '\0' ? sum : "-", mark[0] != '\0' ? "\033[0m" : "");
}

static void put_material(const Table *table, const MaterialView *material)
{
        const Page *page = table->page;
        uint64_t not_after = material->certificate.not_after_usec;
        char text[ADVICE_MAX], date[CLOCK_TEXT_SIZE], time[PAGE_TIME_SIZE];

        put_row(table, material->name, material->state_text, "", material->fingerprint);
        if (!material->has_certificate)
                fputs("no certificate", page->stream);
        else if (not_after > page->now_usec)
                fprintf(page->stream, "until %s (%s)", clock_format_date(date, not_after),
                        page_time(time, page, not_after));
        else
                fprintf(page->stream, "expired %s", page_time(time, page, not_after));
        fputc('\n', page->stream);
        page_sentence(page, DETAIL_INDENT, "", material->certificate.subject);
        for (size_t i = 0; i < material->n_problems; i++)
                page_sentence(page, DETAIL_INDENT,
                        material->problems[i].severity == SEVERITY_ERROR ? "why:  " : "note: ",
                        material->problems[i].text);
        if (material->n_problems == 0)
                page_sentence(page, DETAIL_INDENT, "why:  ", material->reason);
        advice_material_next(text, sizeof(text), material);
        page_sentence(page, DETAIL_INDENT, "next: ", text);
        advice_material_command(text, sizeof(text), material);
        page_sentence(page, DETAIL_INDENT, "run:  ", text);
        if (strcmp(material->watch, "inotify") != 0)
                page_sentence(page, DETAIL_INDENT, "watch: ", material->watch);
        if (material->missed_events > 0) {
                text_format(text, sizeof(text),
                        "%" PRIu64 " changes were found by the poll alone: this path tells no "
                        "events, or not all",
                        material->missed_events);
                page_sentence(page, DETAIL_INDENT, "watch: ", text);
        }
}

static void put_times(const Table *table, const ClusterView *cluster)
{
        static const char *const in_use[] = {[TRISTATE_UNKNOWN] = "",
                [TRISTATE_NO] = ", not in use",
                [TRISTATE_YES] = ", in use"};
        char time[PAGE_TIME_SIZE];

        fprintf(table->page->stream, "%s%s\n",
                page_time(time, table->page, cluster->imported_at_usec),
                cluster->imported_at_usec > 0 ? in_use[cluster->in_use] : "");
}

static void append(
        char *line, size_t size, const char *before, const char *value, const char *after)
{
        size_t used = strlen(line);

        if (used > 0)
                used += (size_t)snprintf(line + used, size - used, "; ");
        snprintf(line + used, size - used, "%s%s%s", before, value, after);
}

static void put_late(const Page *page, const ClusterView *cluster)
{
        char line[256] = "", time[PAGE_TIME_SIZE];

        if (cluster->state == CLUSTER_DISABLED)
                return;
        if (cluster->out_of_sync_since_usec > 0)
                append(line, sizeof(line), "out of sync for ",
                        page_age(time, page, cluster->out_of_sync_since_usec), "");
        if (cluster->state != CLUSTER_CURRENT && cluster->since_usec > 0) {
                append(line, sizeof(line), cluster->state_text, " for ",
                        page_age(time, page, cluster->since_usec));
        }
        if (cluster->next_attempt_usec > 0 && cluster->state != CLUSTER_IMPORTING) {
                bool due = cluster->next_attempt_usec <= page->now_usec;

                append(line, sizeof(line), "next try ",
                        due ? "is due" : page_time(time, page, cluster->next_attempt_usec), "");
                snprintf(time, sizeof(time), "%" PRIu64, cluster->attempts);
                append(line, sizeof(line), "", time, " failed so far");
        }
        page_sentence(page, DETAIL_INDENT, "late: ", line);
}

static void put_cluster(const Table *table, const ClusterView *cluster)
{
        const Page *page = table->page;
        const MaterialView *material = view_material(table->view, cluster->material);
        bool same = material && strcmp(material->fingerprint, cluster->imported) == 0;
        char text[ADVICE_MAX];

        put_row(table, cluster->name, cluster->state_text,
                page->color && !same && cluster->imported[0] != '\0' ? "\033[33m" : "",
                cluster->imported);
        put_times(table, cluster);
        page_sentence(page, DETAIL_INDENT, "why:  ", cluster->reason);
        advice_cluster_next(text, sizeof(text), cluster);
        page_sentence(page, DETAIL_INDENT, "next: ", text);
        advice_cluster_command(text, sizeof(text), cluster);
        page_sentence(page, DETAIL_INDENT, "run:  ", text);
        put_late(page, cluster);
        if (cluster->replication.io_error[0] != '\0' &&
                !strstr(cluster->reason, cluster->replication.io_error))
                page_sentence(page, DETAIL_INDENT, "replication: ", cluster->replication.io_error);
}

void table_print(const Page *page, const View *view, char *const *names, int n_names)
{
        Table table = table_on(page, view, names, n_names);

        put_heading(&table, "MATERIAL", "ON DISK", "CERTIFICATE");
        for (size_t i = 0; i < view->n_materials; i++)
                if (shows_material(&table, view->materials[i].name))
                        put_material(&table, &view->materials[i]);
        fputc('\n', page->stream);
        put_heading(&table, "CLUSTER", "IMPORTED", "WHEN");
        for (size_t i = 0; i < view->n_clusters; i++)
                if (table_shows(view->clusters[i].name, names, n_names))
                        put_cluster(&table, &view->clusters[i]);
}

void table_print_trouble(const Page *page, const View *view, char *const *names, int n_names)
{
        Table table = table_on(page, view, names, n_names);

        for (size_t i = 0; i < view->n_materials; i++)
                if (shows_material(&table, view->materials[i].name) &&
                        !material_state_is_good(view->materials[i].state))
                        put_material(&table, &view->materials[i]);
        for (size_t i = 0; i < view->n_clusters; i++)
                if (table_shows(view->clusters[i].name, names, n_names) &&
                        (view->clusters[i].state != CLUSTER_CURRENT ||
                                view_import_failed(&view->clusters[i])) &&
                        view->clusters[i].state != CLUSTER_DISABLED)
                        put_cluster(&table, &view->clusters[i]);
}
