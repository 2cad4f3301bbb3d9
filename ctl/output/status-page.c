#include "ctl/output/status-page.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/json-writer.h"
#include "ctl/client/error-message.h"
#include "ctl/output/status-details.h"

Health status_page_health(const StatusInfo *info, const StatusSelection *selection)
{
        Health worst = HEALTH_OK;

        if (selection->n_names == 0)
                return info->health;
        for (size_t i = 0; i < info->n_clusters; i++)
                if (status_table_includes(
                            info->clusters[i].name, selection->names, selection->n_names)) {
                        Health health = status_info_health(info, &info->clusters[i]);

                        worst = health > worst ? health : worst;
                }
        return worst;
}

int status_page_check_names(const StatusInfo *info, const StatusSelection *selection)
{
        for (int i = 0; i < selection->n_names; i++)
                if (!status_info_cluster(info, selection->names[i])) {
                        error_message("there is no cluster %s", selection->names[i]);
                        return EX_USAGE;
                }
        return EXIT_SUCCESS;
}

int status_page_print_json(
        const JsonValue *status, const StatusInfo *info, const StatusSelection *selection)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        for (size_t i = 0; i < json_size(status); i++) {
                const char *key = json_key_at(status, i);

                json_key(writer, key);
                if (strcmp(key, "clusters") != 0) {
                        json_copy(writer, json_member(status, key));
                        continue;
                }
                json_open_array(writer);
                for (size_t k = 0; k < info->n_clusters; k++)
                        if (status_table_includes(
                                    info->clusters[k].name, selection->names, selection->n_names))
                                json_raw(writer, info->clusters[k].json,
                                        strlen(info->clusters[k].json));
                json_close_array(writer);
        }
        json_close_object(writer);
        return json_writer_print(stdout, writer);
}

static void print_headline(
        const Terminal *terminal, const StatusInfo *info, const StatusSelection *selection)
{
        Health health = status_page_health(info, selection);
        size_t shown = 0, current = 0;
        char line[SUMMARY_TEXT_MAX + 32];

        for (size_t i = 0; i < info->n_clusters; i++)
                if (status_table_includes(
                            info->clusters[i].name, selection->names, selection->n_names)) {
                        shown++;
                        current += info->clusters[i].state == CLUSTER_CURRENT;
                }
        if (selection->n_names > 0)
                snprintf(line, sizeof(line), "%zu/%zu of these clusters current", current, shown);
        else
                snprintf(line, sizeof(line), "%s", info->summary);
        terminal_headline(terminal, health_to_string(health), line);
        if (!selection->problems || health != HEALTH_OK)
                fputc('\n', terminal->stream);
}

static void print_refused(const Terminal *terminal, const StatusInfo *info)
{
        if (info->refused[0] == '\0')
                return;
        terminal_heading(terminal, "  CONFIGURATION");
        fputs("  on disk it is refused, and the one before stays in force\n", terminal->stream);
        terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "why:  ", info->refused);
        terminal_paragraph(
                terminal, STATUS_DETAILS_INDENT, "next: ", "correct the file and reload");
        terminal_line(terminal, STATUS_DETAILS_INDENT, "run:  ", "binlog-sslctl reload");
        fputc('\n', terminal->stream);
}

int status_page_print(
        const Terminal *terminal, const StatusInfo *info, const StatusSelection *selection)
{
        print_headline(terminal, info, selection);
        print_refused(terminal, info);
        return status_table_print(terminal, info, selection);
}
