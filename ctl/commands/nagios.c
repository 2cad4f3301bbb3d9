#include "ctl/commands/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/client/status-info.h"
#include "ctl/client/varlink-client.h"

#define LINE_MAX (2 * STATUS_INFO_REASON_MAX + 128)

/* A vertical bar separates the text from the values. */
static void print_text(const char *text)
{
        for (; *text != '\0'; text++)
                putchar(*text == '|' ? '/' : *text);
}

/* The exit status is the place in this list. */
static void print_state(int status)
{
        static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

        printf("BINLOG_SSLD %s - ", words[status]);
}

static int print_unknown(const char *text)
{
        print_state(EXIT_UNREACHABLE);
        print_text(text);
        putchar('\n');
        return EXIT_UNREACHABLE;
}

static void print_days_left(const StatusInfo *info)
{
        uint64_t now_usec = clock_wall_usec(), first_usec = USEC_NEVER;

        for (size_t i = 0; i < info->n_materials; i++)
                if (info->materials[i].has_certificate &&
                        info->materials[i].certificate.not_after_usec < first_usec)
                        first_usec = info->materials[i].certificate.not_after_usec;
        if (first_usec != USEC_NEVER)
                printf(" days_left=%.1f", ((double)first_usec - (double)now_usec) / USEC_PER_DAY);
}

/* As the guidelines of the Monitoring Plugins define it: label=value[unit];warn;crit;min;max. */
static void print_values(const StatusInfo *info)
{
        size_t n = 0, n_current = 0;

        for (size_t i = 0; i < info->n_clusters; i++) {
                n += info->clusters[i].state != CLUSTER_DISABLED;
                n_current += info->clusters[i].state == CLUSTER_CURRENT;
        }
        fputs(" |", stdout);
        print_days_left(info);
        printf(" clusters_current=%zu;;;0;%zu", n_current, n);
        for (size_t i = 0; i < info->n_clusters; i++) {
                const ClusterInfo *cluster = &info->clusters[i];

                if (cluster->state != CLUSTER_DISABLED && cluster->replication.lag_known)
                        printf(" lag_%s=%" PRIu64 "s;;;0", cluster->name,
                                cluster->replication.lag_sec);
        }
        putchar('\n');
}

static void print_line(const char *subject, const char *name, const char *state, const char *reason,
        const char *next)
{
        char line[LINE_MAX];

        text_format(line, sizeof(line), "%s %s: %s%s%s%s%s", subject, name, state,
                reason[0] != '\0' ? ": " : "", reason, next[0] != '\0' ? "; next: " : "", next);
        print_text(line);
        putchar('\n');
}

static void print_problems(const StatusInfo *info)
{
        for (size_t i = 0; i < info->n_materials; i++) {
                const MaterialInfo *material = &info->materials[i];

                if (material->health != HEALTH_OK)
                        print_line("material", material->name, material->state_text,
                                material->reason, material->next_step);
        }
        for (size_t i = 0; i < info->n_clusters; i++) {
                const ClusterInfo *cluster = &info->clusters[i];

                if (cluster->health != HEALTH_OK)
                        print_line("cluster", cluster->name, cluster->state_text, cluster->reason,
                                cluster->next_step);
        }
}

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(status_info_done) StatusInfo info = STATUS_INFO_NULL;
        char text[ERROR_MESSAGE_MAX];
        int r;

        if (request->json)
                return print_unknown("nagios has no JSON; status --json does");
        r = varlink_client_request(&reply, request->socket, "GetStatus", NULL);
        if (r == 0 && reply.error) {
                error_message_describe_reply(text, sizeof(text), &reply, "GetStatus");
                return print_unknown(text);
        }
        if (r == 0)
                r = status_info_load(&info, reply.parameters);
        if (r == 0 && info.health == _HEALTH_MAX)
                r = -EBADMSG;
        if (r < 0) {
                error_message_describe_unreachable(text, sizeof(text), request->socket, r);
                return print_unknown(text);
        }
        print_state((int)info.health);
        print_text(info.summary);
        print_values(&info);
        if (info.health != HEALTH_OK)
                print_problems(&info);
        return (int)info.health;
}

const Command command_nagios = {
        .name = "nagios",
        .synopsis = "",
        .summary = "the status for Nagios and compatible monitoring",
        .help = "Prints the summary of the status with its values: the days until the first "
                "certificate on disk ends, the clusters that are current, and the lag of each "
                "replica. A line follows for each material and cluster that has a problem. "
                "/usr/lib/nagios/plugins/check_binlog_ssld calls this.\n\n"
                "Exit: 0 ok, 1 warning, 2 critical, 3 unknown.\n",
        .run = run,
};
