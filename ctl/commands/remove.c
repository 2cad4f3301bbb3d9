#include "ctl/commands/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/client/cluster-names.h"
#include "ctl/client/error-message.h"
#include "ctl/client/subscription.h"
#include "ctl/client/varlink-client.h"
#include "ctl/output/progress.h"

typedef struct Remove {
        const Request *request;
        Subscription *subscription;
        Progress progress;
        uint64_t start_usec, deadline_usec;
} Remove;

static void remove_done(Remove *removal)
{
        subscription_free(removal->subscription);
}

/* Calls Remove. Returns EXIT_SUCCESS, or the exit status after an error message. */
static int call(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(freep) char *parameters = NULL;
        int r = cluster_names_format(
                &parameters, request->socket, request->names, request->n_names, false);

        if (r != EXIT_SUCCESS)
                return r;
        return varlink_client_call(&reply, request->socket, "Remove", parameters, request->json);
}

static const ClusterInfo *cluster_at(const Remove *removal, int i)
{
        return status_info_cluster(
                subscription_status_info(removal->subscription), removal->request->names[i]);
}

/* A daemon that was restarted has no removal left to report only if it succeeded. */
static bool is_removed(const ClusterInfo *cluster)
{
        const RemovalInfo *last = &cluster->removal;

        if (last->known)
                return !last->running && strcmp(last->outcome, "removed") == 0;
        return cluster->state == CLUSTER_DISABLED && cluster->imported[0] == '\0';
}

static int count_running(const Remove *removal)
{
        int n = 0;

        for (int i = 0; i < removal->request->n_names; i++) {
                const ClusterInfo *cluster = cluster_at(removal, i);

                n += cluster && cluster->removal.running;
        }
        return n;
}

static int count_removed(const Remove *removal)
{
        int n = 0;

        for (int i = 0; i < removal->request->n_names; i++) {
                const ClusterInfo *cluster = cluster_at(removal, i);

                n += cluster && is_removed(cluster);
        }
        return n;
}

/* Returns when every removal has ended. -ETIMEDOUT: not before the deadline. */
static int follow(Remove *removal)
{
        char elapsed[TERMINAL_TIME_SIZE];
        SubscriptionEvent event;
        int running;

        while ((running = count_running(removal)) > 0 ||
                !subscription_is_connected(removal->subscription)) {
                int r;

                removal->progress.terminal.now_usec = clock_wall_usec();
                if (!subscription_is_connected(removal->subscription))
                        progress_show(&removal->progress, "binlog-ssld is gone; waiting for it");
                else
                        progress_show(&removal->progress, "removing; %d of %d done, %s",
                                removal->request->n_names - running, removal->request->n_names,
                                terminal_age(
                                        elapsed, &removal->progress.terminal, removal->start_usec));
                r = subscription_next_second(removal->subscription, &event, removal->deadline_usec);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int print_json(const Remove *removal)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        json_key(writer, "clusters");
        json_open_array(writer);
        for (int i = 0; i < removal->request->n_names; i++) {
                const ClusterInfo *cluster = cluster_at(removal, i);

                if (cluster)
                        json_raw(writer, cluster->json, strlen(cluster->json));
        }
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_print(stdout, writer);
}

static void print_removed(const ClusterInfo *cluster)
{
        const RemovalInfo *last = &cluster->removal;

        printf("cluster %s: the client material is removed\n", cluster->name);
        if (last->reason[0] != '\0')
                error_message("cluster %s: warning: %s", cluster->name, last->reason);
        if (last->next_step[0] != '\0')
                error_message("next: %s", last->next_step);
}

static void print_failed(const char *name, const ClusterInfo *cluster)
{
        const RemovalInfo *last = cluster ? &cluster->removal : NULL;

        if (!cluster)
                error_message("cluster %s: removed from the configuration before the result was "
                              "known; see the journal",
                        name);
        else if (last->running)
                error_message("cluster %s: its removal has not ended", name);
        else if (!last->known)
                error_message(
                        "cluster %s: enabled again before the result was known; see the journal",
                        name);
        else {
                error_message("cluster %s: not removed: %s%s%s", name, last->outcome,
                        last->reason[0] != '\0' ? ": " : "", last->reason);
                if (last->next_step[0] != '\0')
                        error_message("next: %s", last->next_step);
        }
}

static int conclude(Remove *removal)
{
        const Request *request = removal->request;
        bool all = count_removed(removal) == request->n_names;

        progress_clear(&removal->progress);
        if (request->json)
                return print_json(removal) == 0 && all ? EXIT_SUCCESS : EXIT_FAILURE;
        for (int i = 0; i < request->n_names; i++) {
                const ClusterInfo *cluster = cluster_at(removal, i);

                if (cluster && is_removed(cluster))
                        print_removed(cluster);
                else
                        print_failed(request->names[i], cluster);
        }
        return all ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Subscribes after the call: the state that then comes is one since its begin, so that a result of
 * an earlier removal is not taken for this one's. */
static int run(const Request *request)
{
        CLEANUP(remove_done)
        Remove removal = {
                .request = request,
                .progress = progress_open(stdout, request->json),
                .start_usec = clock_wall_usec(),
                .deadline_usec = clock_boottime_usec() + request->timeout_usec,
        };
        int r = call(request);

        if (r != EXIT_SUCCESS)
                return r;
        r = subscription_new(&removal.subscription, request->socket);
        if (r == 0)
                r = subscription_wait_ready(removal.subscription);
        if (r == 0)
                r = follow(&removal);
        progress_clear(&removal.progress);
        if (r < 0 && (r != -ETIMEDOUT || !subscription_is_connected(removal.subscription)))
                return subscription_error_message(
                        removal.subscription, request->socket, r, request->json);
        return conclude(&removal);
}

const Command command_remove = {
        .name = "remove",
        .synopsis = "[--timeout T] CLUSTER...",
        .summary = "remove the client material from disabled clusters",
        .help = "Removes CA, certificate and key from the named clusters with the procedure "
                "mysql.rds_remove_binlog_ssl_material and forgets what is known of them: for a key "
                "that leaked, or a cluster that leaves. Only a cluster with enabled = no is "
                "accepted, since any other would get the set on disk again; other services that "
                "share its ledger must have it disabled as well. Waits for the result. Replication "
                "that runs over TLS fails at its next connection; that is a warning. Requires "
                "root, the service's own user, or a member of control-group.\n\n"
                "  --timeout T  fail after T, such as 90s; default 5min; the removal goes on\n\n"
                "Exit: 0 removed from all of them; 1 refused, or not removed; 3 the daemon cannot "
                "be reached; 64 no cluster is named, or there is none of that name.\n",
        .options = COMMAND_TIMEOUT,
        .minimum_names = 1,
        .maximum_names = -1,
        .run = run,
};
