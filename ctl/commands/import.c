#include "ctl/commands/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/text.h"
#include "ctl/client/cluster-names.h"
#include "ctl/client/error-message.h"
#include "ctl/client/import-tracker.h"
#include "ctl/client/subscription.h"
#include "ctl/client/varlink-client.h"
#include "ctl/client/wait-condition.h"
#include "ctl/output/progress.h"
#include "ctl/output/status-table.h"

typedef struct Import {
        const Request *request;
        Subscription *subscription;
        Progress progress;
        VarlinkReply reply;
        ImportTracker tracker;
        uint64_t start_usec, deadline_usec;
} Import;

static void import_done(Import *import)
{
        import_tracker_done(&import->tracker);
        varlink_reply_done(&import->reply);
        subscription_free(import->subscription);
}

static const JsonValue *started_of(const Import *import)
{
        return json_member(import->reply.parameters, "started");
}

/* Calls Import. Returns EXIT_SUCCESS, or the exit status after an error message. */
static int call(Import *import)
{
        CLEANUP(freep) char *parameters = NULL;
        const Request *request = import->request;
        int r = cluster_names_format(
                &parameters, request->socket, request->names, request->n_names, request->force);

        if (r != EXIT_SUCCESS)
                return r;
        r = varlink_client_call(
                &import->reply, request->socket, "Import", parameters, request->json);
        if (r == EXIT_SUCCESS && !json_is_array(started_of(import)))
                return error_message_unreachable(request->socket, -EBADMSG);
        return r;
}

static void print_started(const Import *import)
{
        const JsonValue *started = started_of(import);
        char name[CONFIG_NAME_MAX];

        if (json_size(started) == 0 && import->request->force)
                puts("nothing was started: no cluster is enabled, each waits for the canary, or the "
                     "import runs already");
        else if (json_size(started) == 0)
                puts("nothing was started: each cluster has the set on disk, is disabled, or waits "
                     "for the canary; --force imports it once more");
        for (size_t i = 0; i < json_size(started); i++) {
                text_set(name, sizeof(name), json_get_string(json_element(started, i)));
                printf("cluster %s: import started\n", name);
        }
}

/* Tracks the imports that the daemon started, and requested ones that were already running. */
static int track_imports(Import *import)
{
        const StatusInfo *info = subscription_status_info(import->subscription);
        const JsonValue *started = started_of(import);
        const Request *request = import->request;
        int r = 0;

        for (size_t i = 0; r == 0 && i < info->n_clusters; i++) {
                const ClusterInfo *cluster = &info->clusters[i];
                bool wanted = cluster->state == CLUSTER_IMPORTING &&
                        status_table_includes(cluster->name, request->names, request->n_names);

                for (size_t k = 0; k < json_size(started); k++)
                        wanted = wanted ||
                                text_equal(
                                        json_get_string(json_element(started, k)), cluster->name);
                if (wanted)
                        r = import_tracker_add(&import->tracker, cluster->name);
        }
        return r;
}

static void show_progress(Import *import)
{
        char elapsed[TERMINAL_TIME_SIZE];

        import->progress.terminal.now_usec = clock_wall_usec();
        if (!subscription_is_connected(import->subscription))
                progress_show(&import->progress, "binlog-ssld is gone; waiting for it");
        else if (import->tracker.n_open == 0)
                progress_show(&import->progress, "imported; replication does not run again yet, %s",
                        terminal_age(elapsed, &import->progress.terminal, import->start_usec));
        else
                progress_show(&import->progress, "importing %s; %zu of %zu done, %s",
                        import_tracker_first_open(&import->tracker),
                        import->tracker.n - import->tracker.n_open, import->tracker.n,
                        terminal_age(elapsed, &import->progress.terminal, import->start_usec));
}

/* Of the clusters that were asked for, those that are current and whose replication fails; without
 * `lasting` only those where that may be the error of the set before. */
static size_t count_failing(const Import *import, bool lasting)
{
        const StatusInfo *info = subscription_status_info(import->subscription);
        const Request *request = import->request;
        size_t n = 0;

        for (size_t i = 0; i < info->n_clusters && !request->ignore_replication; i++) {
                const ClusterInfo *cluster = &info->clusters[i];
                WaitAnswer answer = wait_condition_replication(cluster, clock_wall_usec());

                n += cluster->state == CLUSTER_CURRENT &&
                        (answer == WAIT_NOT_YET || (lasting && answer == WAIT_NO)) &&
                        status_table_includes(cluster->name, request->names, request->n_names);
        }
        return n;
}

/* Returns when every tracked import has ended, and replication with it. -ETIMEDOUT: not before the
 * deadline. */
static int follow_imports(Import *import)
{
        char line[STATUS_INFO_REASON_MAX + 128];
        SubscriptionEvent event;

        while (import_tracker_update(
                       &import->tracker, subscription_status_info(import->subscription)) > 0 ||
                !subscription_is_connected(import->subscription) ||
                count_failing(import, false) > 0) {
                int r;

                show_progress(import);
                r = subscription_next_second(import->subscription, &event, import->deadline_usec);
                if (r < 0)
                        return r;
                if (event.kind == SUBSCRIPTION_GONE)
                        import->tracker.restarted = true;
                else if (!event.cluster ||
                        !import_tracker_has(&import->tracker, event.cluster->name))
                        continue;
                subscription_describe(line, sizeof(line), &event);
                progress_step(&import->progress, line);
        }
        return 0;
}

static int print_json(const Import *import)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        json_key(writer, "started");
        json_copy(writer, started_of(import));
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < import->tracker.n; i++) {
                const ClusterInfo *cluster = status_info_cluster(
                        subscription_status_info(import->subscription), import->tracker.names[i]);

                if (cluster)
                        json_raw(writer, cluster->json, strlen(cluster->json));
        }
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_print(stdout, writer);
}

/* Prints the clusters that the table of problems does not show as such. */
static void print_unfinished(const Import *import)
{
        const ImportTracker *tracker = &import->tracker;

        for (size_t i = 0; i < tracker->n; i++)
                if (!status_info_cluster(
                            subscription_status_info(import->subscription), tracker->names[i]))
                        fprintf(stderr, "cluster %s: removed from the configuration\n",
                                tracker->names[i]);
                else if (!tracker->ended[i])
                        fprintf(stderr, "cluster %s: its import has not ended\n",
                                tracker->names[i]);
}

static void print_result(const Import *import, size_t imported, size_t failing, bool late)
{
        Terminal terminal = terminal_open(stderr);
        const Request *request = import->request;
        const StatusSelection selection = {request->names, request->n_names, .problems = true};
        char text[64] = "";

        if (failing > 0)
                text_format(text, sizeof(text), ", but replication fails in %zu", failing);
        if (import->tracker.n == 0)
                error_message("replication fails in %zu", failing);
        else
                error_message("%zu of %zu imported%s%s", imported, import->tracker.n, text,
                        late ? ", and the time is over" : "");
        print_unfinished(import);
        (void)status_table_print(
                &terminal, subscription_status_info(import->subscription), &selection);
}

static int conclude(Import *import, bool late)
{
        size_t imported = import_tracker_count_imported(
                &import->tracker, subscription_status_info(import->subscription));
        size_t failing = count_failing(import, true);

        progress_clear(&import->progress);
        if (import->request->json && print_json(import) < 0)
                return EXIT_FAILURE;
        if (imported == import->tracker.n && failing == 0) {
                if (!import->request->json && imported > 0)
                        printf("%zu of %zu imported\n", imported, import->tracker.n);
                return EXIT_SUCCESS;
        }
        print_result(import, imported, failing, late);
        return EXIT_FAILURE;
}

/* Subscribes before the call, so that no event is missed. */
static int run_and_wait(Import *import)
{
        const Request *request = import->request;
        int r = subscription_new(&import->subscription, request->socket);

        import->start_usec = clock_wall_usec();
        import->deadline_usec = clock_boottime_usec() + request->timeout_usec;
        if (r == 0)
                r = subscription_wait_ready(import->subscription);
        if (r == 0) {
                import->tracker.requested_usec = clock_wall_usec();
                r = call(import);
                if (r != EXIT_SUCCESS)
                        return r;
                r = track_imports(import);
        }
        if (r == 0 && !request->json &&
                (!import->progress.terminal.is_tty || import->tracker.n == 0))
                print_started(import);
        if (r == 0 && import->tracker.n > 0)
                r = follow_imports(import);
        progress_clear(&import->progress);
        if (r < 0 && (r != -ETIMEDOUT || !subscription_is_connected(import->subscription)))
                return subscription_error_message(
                        import->subscription, request->socket, r, request->json);
        return conclude(import, r == -ETIMEDOUT);
}

static int run(const Request *request)
{
        CLEANUP(import_done)
        Import import = {
                .request = request,
                .progress = progress_open(stdout, request->json),
        };
        int r;

        if (request->wait)
                return run_and_wait(&import);
        if (request->has_timeout || request->ignore_replication) {
                error_message("%s requires --wait",
                        request->has_timeout ? "--timeout" : "--ignore-replication");
                return EX_USAGE;
        }
        r = call(&import);
        if (r != EXIT_SUCCESS)
                return r;
        if (request->json)
                (void)json_print(stdout, import.reply.parameters);
        else
                print_started(&import);
        return EXIT_SUCCESS;
}

const Command command_import = {
        .name = "import",
        .synopsis = "[--force] [--wait [--ignore-replication] [--timeout T]] [CLUSTER...]",
        .summary = "import the set on disk now",
        .help = "Starts the import of the set on disk into every cluster, or those named, that "
                "is not current, at once and without waiting for the end of a back-off. "
                "Requires root, the service's own user, or a member of control-group.\n\n"
                "  --force      also import into clusters that are current\n"
                "  --wait       wait until the imports have ended; failed ones are printed with "
                "the reason and the next step\n"
                "  --ignore-replication  with --wait, succeed also if replication fails\n"
                "  --timeout T  fail after T, such as 90s; default 5min\n\n"
                "Exit: 0 started, with --wait imported; 1 refused, or with --wait not "
                "imported, or replication of a current cluster fails; 3 the daemon cannot be "
                "reached; 64 there is no such cluster.\n",
        .options = COMMAND_FORCE | COMMAND_WAIT | COMMAND_TIMEOUT | COMMAND_IGNORE_REPLICATION,
        .maximum_names = -1,
        .run = run,
};
