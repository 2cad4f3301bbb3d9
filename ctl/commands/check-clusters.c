#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-writer.h"
#include "ctl/client/cluster-names.h"
#include "ctl/client/error-message.h"
#include "ctl/client/varlink-client.h"
#include "ctl/commands/command.h"
#include "ctl/output/progress.h"
#include "daemon/config/config.h"
#include "daemon/probe/probe-table.h"

/* The replies so far, in the order of the configuration. */
typedef struct Replies {
        JsonValue *clusters[CONFIG_CLUSTERS_MAX]; /* by index; NULL: none */
        size_t n;
        int64_t remaining; /* as of the last reply */
} Replies;

static Replies *replies_free(Replies *replies)
{
        for (size_t i = 0; replies && i < CONFIG_CLUSTERS_MAX; i++)
                json_free(replies->clusters[i]);
        free(replies);
        return NULL;
}
DEFINE_CLEANUP(Replies *, replies_free);

/* Keeps a copy: the tree of the reply is freed with it. -EBADMSG: not such a reply. */
static int keep(Replies *replies, const JsonValue *parameters)
{
        const JsonValue *cluster = json_member(parameters, "cluster");
        CLEANUP(freep) char *text = NULL;
        int64_t index;
        int r;

        if (!json_get_integer(&index, json_member(parameters, "index")) || index < 0 ||
                index >= CONFIG_CLUSTERS_MAX ||
                !json_get_integer(&replies->remaining, json_member(parameters, "remaining")) ||
                !(json_is_object(cluster) || json_is_null(cluster)) || replies->clusters[index])
                return -EBADMSG;
        if (json_is_null(cluster))
                return 0;
        r = json_format(&text, cluster);
        if (r == 0)
                r = json_parse(&replies->clusters[index], text, strlen(text));
        replies->n += r == 0;
        return r;
}

/* Returns the exit status; EXIT_SUCCESS: all replies are there. */
static int receive(Replies *replies, VarlinkClient *client, const Request *request)
{
        CLEANUP(progress_clear) Progress progress = progress_open(stdout, request->json);
        uint64_t deadline_usec = clock_boottime_usec() + request->timeout_usec;
        char limit[DURATION_TEXT_SIZE];
        bool continues = true;

        progress_show(&progress, "the service logs in to the clusters");
        while (continues) {
                CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
                int r = varlink_client_receive(client, &reply, deadline_usec);

                if (r == 0 && reply.error) {
                        progress_clear(&progress);
                        return error_message_reply(&reply, "CheckClusters", request->json);
                }
                if (r == 0)
                        r = keep(replies, reply.parameters);
                if (r < 0)
                        progress_clear(&progress);
                if (r == -ETIMEDOUT) {
                        error_message("not all clusters have been checked within %s; the deadline "
                                      "of each is import-timeout; fix: a longer --timeout",
                                duration_format(limit, request->timeout_usec));
                        return EXIT_FAILURE;
                }
                if (r < 0)
                        return error_message_unreachable(request->socket, r);
                continues = reply.continues;
                progress_show(&progress, "%zu checked, %lld to go", replies->n,
                        (long long)replies->remaining);
        }
        return EXIT_SUCCESS;
}

static int print(Replies *replies, bool json)
{
        size_t n = 0;

        for (size_t i = 0; i < CONFIG_CLUSTERS_MAX; i++)
                if (replies->clusters[i]) {
                        JsonValue *cluster = replies->clusters[i];

                        replies->clusters[i] = NULL;
                        replies->clusters[n++] = cluster;
                }
        (void)probe_table_print(stdout, replies->clusters, n, json);
        return probe_table_is_good(replies->clusters, n) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const Request *request)
{
        CLEANUP(varlink_client_freep) VarlinkClient *client = NULL;
        CLEANUP(replies_freep) Replies *replies = calloc(1, sizeof(*replies));
        CLEANUP(freep) char *parameters = NULL;
        int r = replies ? 0 : -ENOMEM;
        int status = cluster_names_format(
                &parameters, request->socket, request->names, request->n_names, false);

        if (status != EXIT_SUCCESS)
                return status;
        if (r == 0)
                r = varlink_client_new(&client, request->socket);
        if (r == 0)
                r = varlink_client_send(client, "CheckClusters", parameters, true);
        /* A refused client is sent the reason before it has sent its call. */
        if (r < 0 && r != -ECONNRESET)
                return error_message_unreachable(request->socket, r);
        status = receive(replies, client, request);
        if (status == EXIT_SUCCESS)
                return print(replies, request->json);
        if (replies->n > 0 && !request->json) /* what is known */
                (void)print(replies, false);
        return status;
}

const Command command_check_clusters = {
        .name = "check-clusters",
        .synopsis = "[--timeout T] [CLUSTER...]",
        .summary = "log in to the clusters, and print whether an import would work",
        .help = "The service logs in to every enabled cluster, or those named, with its own "
                "passwords and in its own sandbox, as for an import: the command prints what an "
                "import would find there, and what would prevent it, as binlog-ssld "
                "--check-clusters does. Nothing is imported, stopped, started or recorded. "
                "Requires root, the service's own user, or a member of control-group.\n\n"
                "  --timeout T  fail after T, such as 90s; default 5min\n\n"
                "Exit: 0 an import would work everywhere; 1 it would not, or the check was "
                "refused, the reason is printed; 3 the daemon cannot be reached.\n",
        .options = COMMAND_TIMEOUT,
        .maximum_names = -1,
        .run = run,
};
