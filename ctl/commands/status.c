#include "ctl/commands/command.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "common/json-writer.h"
#include "ctl/client/error-message.h"
#include "ctl/client/varlink-client.h"
#include "ctl/output/status-details.h"
#include "ctl/output/status-table.h"

static Health health_of(const StatusInfo *info, const Request *request)
{
        Health worst = HEALTH_OK;

        if (request->n_names == 0)
                return info->health;
        for (size_t i = 0; i < info->n_clusters; i++)
                if (status_table_includes(
                            info->clusters[i].name, request->names, request->n_names)) {
                        Health health = status_info_health(info, &info->clusters[i]);

                        worst = health > worst ? health : worst;
                }
        return worst;
}

/* Prints the answer of the daemon, with only the requested clusters. */
static int print_json(const JsonValue *status, const StatusInfo *info, const Request *request)
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
                                    info->clusters[k].name, request->names, request->n_names))
                                json_raw(writer, info->clusters[k].json,
                                        strlen(info->clusters[k].json));
                json_close_array(writer);
        }
        json_close_object(writer);
        return json_writer_print(stdout, writer);
}

static void print_headline(
        const Terminal *terminal, const StatusInfo *info, const Request *request, Health health)
{
        size_t shown = 0, current = 0;
        char line[SUMMARY_TEXT_MAX + 32];

        for (size_t i = 0; i < info->n_clusters; i++)
                if (status_table_includes(
                            info->clusters[i].name, request->names, request->n_names)) {
                        shown++;
                        current += info->clusters[i].state == CLUSTER_CURRENT;
                }
        if (request->n_names > 0)
                snprintf(line, sizeof(line), "%zu/%zu of these clusters current", current, shown);
        else
                snprintf(line, sizeof(line), "%s", info->summary);
        terminal_headline(terminal, health_to_string(health), line);
        if (!request->problems || health != HEALTH_OK)
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

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(status_info_done) StatusInfo info = STATUS_INFO_NULL;
        Terminal terminal = terminal_open(stdout);
        Health health;
        int r = status_info_fetch(&reply, &info, request->socket);

        if (r != EXIT_SUCCESS)
                return r;
        for (int i = 0; i < request->n_names; i++)
                if (!status_info_cluster(&info, request->names[i])) {
                        error_message("there is no cluster %s", request->names[i]);
                        return EX_USAGE;
                }
        health = health_of(&info, request);
        if (request->json)
                r = print_json(reply.parameters, &info, request);
        else {
                const StatusSelection selection = {
                        request->names, request->n_names, request->problems};

                print_headline(&terminal, &info, request, health);
                print_refused(&terminal, &info);
                r = status_table_print(&terminal, &info, &selection);
        }
        if (r < 0 || health == _HEALTH_MAX)
                return error_message_unreachable(request->socket, r < 0 ? r : -EBADMSG);
        return (int)health;
}

const Command command_status = {
        .name = "status",
        .synopsis = "[--problems] [CLUSTER...]",
        .summary = "what is on disk, what is imported, and why not",
        .help = "Prints each material with the set on disk, and each cluster, or those named, "
                "with the set that it acknowledged and what its replication does; the worst "
                "first. Below a material, or clusters with the same problem, are the reason "
                "(why), the next step for you (next), a command for it (run), and since when the "
                "problem lasts and when the service tries again (late). Below a cluster that is "
                "named, or whose replication has a problem, are the source, whether TLS is on, "
                "the lag and when that was read (repl), and errors that are not the reason (I/O, "
                "SQL). The first digits of its fingerprint name a set: equal digits, equal "
                "sets.\n\n"
                "  --problems  only materials and clusters that are not ok, or not current yet\n\n"
                "Exit: 0 ok, 1 warning, 2 critical, 3 the daemon cannot be reached, as "
                "monitoring plugins use them. With names, only these clusters and their "
                "materials count.\n",
        .options = COMMAND_PROBLEMS,
        .maximum_names = -1,
        .run = run,
};
