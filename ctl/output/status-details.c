#include "ctl/output/status-details.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/output/replication-text.h"

/* Below it, a cluster that waits for nothing but its turn is not late. */
#define LATE_USEC (10 * USEC_PER_SEC)

static void put_rollout(const Terminal *terminal, const RolloutInfo *rollout)
{
        char line[STATUS_INFO_REASON_MAX + 128], time[TERMINAL_TIME_SIZE];

        if (rollout->canary[0] == '\0')
                return;
        text_format(line, sizeof(line), "%s%s", rollout->state == WAVE_STOPPED ? "stopped: " : "",
                rollout->reason[0] != '\0' ? rollout->reason : "the set is proven");
        if (rollout->until_usec > 0)
                text_append(line, sizeof(line), "; until %s",
                        terminal_time(time, terminal, rollout->until_usec));
        if (rollout->n_waiting > 0)
                text_append(line, sizeof(line), "; %" PRIu64 " waiting", rollout->n_waiting);
        terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "rollout: ", line);
}

static void put_material_command(const Terminal *terminal, const MaterialInfo *material)
{
        char command[CONFIG_PATH_MAX + 32] = "";

        if (material->not_responding_since_usec > 0)
                text_format(command, sizeof(command), "findmnt -T %s", material->directory);
        else if (!material_state_is_good(material->state) &&
                material->state != MATERIAL_STATE_CHANGING)
                text_format(command, sizeof(command), "binlog-sslctl explain %s", material->name);
        terminal_line(terminal, STATUS_DETAILS_INDENT, "run:  ", command);
}

void status_details_material(const Terminal *terminal, const MaterialInfo *material)
{
        char text[128];

        terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "", material->certificate.subject);
        for (size_t i = 0; i < material->n_problems; i++)
                if (!problem_repeats(material->problems, i))
                        terminal_paragraph(terminal, STATUS_DETAILS_INDENT,
                                material->problems[i].severity == SEVERITY_ERROR ? "why:  "
                                                                                 : "note: ",
                                material->problems[i].text);
        if (material->n_problems == 0 || material->not_responding_since_usec > 0)
                terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "why:  ", material->reason);
        terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "next: ", material->next_step);
        put_material_command(terminal, material);
        put_rollout(terminal, &material->rollout);
        if (strcmp(material->watch, "inotify") != 0)
                terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "watch: ", material->watch);
        if (material->missed_events > 0) {
                text_format(text, sizeof(text),
                        "%" PRIu64 " changes were found by the poll alone: this path reports no "
                        "events, or not all",
                        material->missed_events);
                terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "watch: ", text);
        }
}

/* One command for the whole group. */
static void put_cluster_command(const Terminal *terminal, const ClusterGroup *group)
{
        ClusterState state = group->clusters[0]->state;

        if (state != CLUSTER_HELD && state != CLUSTER_RETRYING)
                return;
        fprintf(terminal->stream, "%*srun:  binlog-sslctl import --wait", STATUS_DETAILS_INDENT,
                "");
        for (size_t i = 0; i < group->n; i++)
                fprintf(terminal->stream, " %s", group->clusters[i]->name);
        fputc('\n', terminal->stream);
}

static void append(char *line, size_t size, const char *text)
{
        text_append(line, size, "%s%s", line[0] != '\0' ? "; " : "", text);
}

static void put_delay(const Terminal *terminal, const ClusterGroup *group)
{
        const ClusterInfo *cluster = cluster_group_latest(group);
        uint64_t next = cluster_group_next_attempt_usec(group);
        char line[256] = "", part[128], time[TERMINAL_TIME_SIZE];
        uint64_t since = cluster->out_of_sync_since_usec;
        bool late = since > 0 && since + LATE_USEC <= terminal->now_usec;

        if (cluster->state == CLUSTER_DISABLED || (!late && next == 0))
                return;
        if (since > 0) {
                text_format(part, sizeof(part), "out of sync for %s",
                        terminal_age(time, terminal, since));
                append(line, sizeof(line), part);
        }
        if (cluster->state != CLUSTER_CURRENT && cluster->since_usec > 0) {
                text_format(part, sizeof(part), "%s for %s", cluster->state_text,
                        terminal_age(time, terminal, cluster->since_usec));
                append(line, sizeof(line), part);
        }
        if (next > 0 && cluster->state != CLUSTER_IMPORTING) {
                text_format(part, sizeof(part), "next try %s",
                        next <= terminal->now_usec ? "is due"
                                                   : terminal_time(time, terminal, next));
                append(line, sizeof(line), part);
                text_format(part, sizeof(part), "%" PRIu64 " failed so far", cluster->attempts);
                append(line, sizeof(line), part);
        }
        terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "late: ", line);
}

void status_details_clusters(const Terminal *terminal, const ClusterGroup *group, bool named)
{
        const ClusterInfo *first = group->clusters[0];

        terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "why:  ", first->reason);
        if (strcmp(first->import_warning, first->reason) != 0)
                terminal_paragraph(
                        terminal, STATUS_DETAILS_INDENT, "note: ", first->import_warning);
        terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "next: ", first->next_step);
        put_cluster_command(terminal, group);
        put_delay(terminal, group);
        if (first->roll_back == TRISTATE_NO && first->state != CLUSTER_DISABLED)
                terminal_paragraph(terminal, STATUS_DETAILS_INDENT, "rollback: ",
                        "there is no set to go back to if replication fails with a new one");
        if (named || replication_text_needs_lines(first))
                replication_text_print_lines(terminal, STATUS_DETAILS_INDENT, first);
}
