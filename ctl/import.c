#include "ctl/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/awaited.h"
#include "ctl/client.h"
#include "ctl/complaint.h"
#include "ctl/document.h"
#include "ctl/follow.h"
#include "ctl/progress.h"
#include "ctl/table.h"
#include "daemon/interface.h"

typedef struct Import {
        const Request *request;
        Follow *follow;
        Progress progress;
        VarlinkReply reply;
        AwaitedList awaited;
        uint64_t start_usec, deadline_usec;
} Import;

static void import_done(Import *import)
{
        awaited_done(&import->awaited);
        varlink_reply_done(&import->reply);
        follow_free(import->follow);
}

static int format_parameters(char **ret, const Request *request)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        size_t size;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        if (request->n_names > 0) {
                json_key(writer, "clusters");
                json_open_array(writer);
                for (int i = 0; i < request->n_names; i++)
                        json_string(writer, request->names[i]);
                json_close_array(writer);
        }
        json_key(writer, "force");
        json_boolean(writer, request->force);
        json_close_object(writer);
        return json_writer_finish(writer, ret, &size);
}

/* Calls Import. EXIT_SUCCESS, or the exit status after a complaint. */
static int call(Import *import)
{
        CLEANUP(freep) char *parameters = NULL;
        const Request *request = import->request;
        int r = format_parameters(&parameters, request);

        if (r == -EINVAL) {
                complain("a cluster's name is text in UTF-8");
                return EXIT_FAILURE;
        }
        if (r == 0)
                r = client_call(
                        &import->reply, request->socket, INTERFACE_NAME ".Import", parameters);
        if (r == 0 && import->reply.error)
                return complain_reply(&import->reply, "Import", request->json);
        if (r == 0 && !json_is_array(json_member(import->reply.parameters, "started")))
                r = -EBADMSG;
        return r < 0 ? complain_unreachable(request->socket, r) : EXIT_SUCCESS;
}

static const JsonValue *started_of(const Import *import)
{
        return json_member(import->reply.parameters, "started");
}

static void print_started(const Import *import)
{
        const JsonValue *started = started_of(import);
        char name[CONFIG_NAME_MAX];

        if (json_size(started) == 0)
                puts(import->request->force
                                ? "nothing was started: no cluster is enabled, or it runs already"
                                : "nothing to do: what is on disk is imported; --force imports it "
                                  "once more");
        for (size_t i = 0; i < json_size(started); i++) {
                text_set(name, sizeof(name), json_get_string(json_element(started, i)));
                printf("cluster %s: import started\n", name);
        }
}

/* Those that the daemon started, and those wanted that it was importing anyway. */
static int choose_awaited(Import *import)
{
        const View *view = follow_view(import->follow);
        const JsonValue *started = started_of(import);
        const Request *request = import->request;
        int r = 0;

        for (size_t i = 0; r == 0 && i < view->n_clusters; i++) {
                const ClusterView *cluster = &view->clusters[i];
                bool wanted = cluster->state == CLUSTER_IMPORTING &&
                        table_shows(cluster->name, request->names, request->n_names);

                for (size_t k = 0; k < json_size(started); k++)
                        wanted = wanted ||
                                text_equal(
                                        json_get_string(json_element(started, k)), cluster->name);
                if (wanted)
                        r = awaited_add(&import->awaited, cluster);
        }
        return r;
}

static void show_progress(Import *import)
{
        char elapsed[PAGE_TIME_SIZE];

        import->progress.page.now_usec = clock_wall_usec();
        if (!follow_is_connected(import->follow))
                progress_show(&import->progress, "binlog-ssld is gone; waiting for it");
        else
                progress_show(&import->progress, "importing %s; %zu of %zu done, %s",
                        awaited_first_open(&import->awaited),
                        import->awaited.n - import->awaited.n_open, import->awaited.n,
                        page_age(elapsed, &import->progress.page, import->start_usec));
}

/* Follows until no awaited cluster is being imported, or the time is over. */
static int see_through(Import *import)
{
        char line[VIEW_REASON_MAX + 128];
        FollowEvent event;

        while (awaited_look(&import->awaited, follow_view(import->follow)) > 0 ||
                !follow_is_connected(import->follow)) {
                uint64_t now = clock_boottime_usec();
                uint64_t tick = now + USEC_PER_SEC;
                int r;

                if (now >= import->deadline_usec)
                        return -ETIMEDOUT;
                show_progress(import);
                r = follow_next(import->follow, &event,
                        tick < import->deadline_usec ? tick : import->deadline_usec);
                if (r < 0)
                        return r;
                if (event.news == FOLLOW_GONE)
                        import->awaited.restarted = true;
                else if (!event.cluster || !awaited_has(&import->awaited, event.cluster->name))
                        continue;
                follow_describe(line, sizeof(line), &event);
                progress_step(&import->progress, line);
        }
        return 0;
}

static int print_json(const Import *import)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        json_key(writer, "started");
        document_write(writer, started_of(import));
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < import->awaited.n; i++) {
                const ClusterView *cluster =
                        view_cluster(follow_view(import->follow), import->awaited.names[i]);

                if (cluster)
                        json_raw(writer, cluster->json, strlen(cluster->json));
        }
        json_close_array(writer);
        json_close_object(writer);
        return document_finish(stdout, writer);
}

/* What the table of trouble cannot tell. */
static void print_open(const Import *import)
{
        const AwaitedList *awaited = &import->awaited;

        for (size_t i = 0; i < awaited->n; i++)
                if (!view_cluster(follow_view(import->follow), awaited->names[i]))
                        fprintf(stderr, "cluster %s: removed from the configuration\n",
                                awaited->names[i]);
                else if (!awaited->items[i].done)
                        fprintf(stderr, "cluster %s: its import has not ended\n",
                                awaited->names[i]);
}

static int conclude(Import *import, bool late)
{
        size_t current = awaited_current(&import->awaited, follow_view(import->follow));
        Page page = page_on(stderr);

        progress_clear(&import->progress);
        if (import->request->json && print_json(import) < 0)
                return EXIT_FAILURE;
        if (current == import->awaited.n) {
                if (!import->request->json && current > 0)
                        printf("%zu of %zu imported\n", current, import->awaited.n);
                return EXIT_SUCCESS;
        }
        complain("%zu of %zu imported%s", current, import->awaited.n,
                late ? ", and the time is over" : "");
        print_open(import);
        table_print_trouble(
                &page, follow_view(import->follow), import->awaited.names, (int)import->awaited.n);
        return EXIT_FAILURE;
}

/* Subscribes first, so that nothing is missed. */
static int run_and_wait(Import *import)
{
        const Request *request = import->request;
        int r = follow_new(&import->follow, request->socket);

        import->start_usec = clock_wall_usec();
        import->deadline_usec = clock_boottime_usec() + request->timeout_usec;
        if (r == 0)
                r = follow_until_ready(import->follow, clock_boottime_usec() + CLIENT_TIMEOUT_USEC);
        if (r == 0) {
                import->awaited.asked_usec = clock_wall_usec();
                r = call(import);
                if (r != EXIT_SUCCESS)
                        return r;
                r = choose_awaited(import);
        }
        if (r == 0 && !request->json && !import->progress.page.terminal)
                print_started(import);
        if (r == 0 && !request->json && import->progress.page.terminal && import->awaited.n == 0)
                print_started(import);
        if (r == 0 && import->awaited.n > 0)
                r = see_through(import);
        progress_clear(&import->progress);
        if (r == -EREMOTEIO)
                return complain_reply(follow_refusal(import->follow), "Subscribe", request->json);
        if (r < 0 && (r != -ETIMEDOUT || !follow_is_connected(import->follow)))
                return complain_unreachable(request->socket, r);
        return conclude(import, r == -ETIMEDOUT);
}

static int run(const Request *request)
{
        CLEANUP(import_done)
        Import import = {
                .request = request,
                .progress = progress_on(stdout, request->json),
        };
        int r;

        if (request->wait)
                return run_and_wait(&import);
        if (request->has_timeout) {
                complain("--timeout goes with --wait");
                return EX_USAGE;
        }
        r = call(&import);
        if (r != EXIT_SUCCESS)
                return r;
        if (request->json)
                (void)document_print(stdout, import.reply.parameters);
        else
                print_started(&import);
        return EXIT_SUCCESS;
}

const Command command_import = {
        .name = "import",
        .synopsis = "[--force] [--wait [--timeout T]] [CLUSTER...]",
        .summary = "import now what is on disk",
        .help = "Has the service import what is on disk into every cluster, or those named, "
                "that is not current, at once and with its back-off begun anew. For root, the"
                " service's own user and members of control-group.\n\n"
                "  --force      also into clusters that are current\n"
                "  --wait       until the imports have ended; what failed is told with the "
                "next step\n"
                "  --timeout T  wait no longer than T, such as 90s; default 5min\n\n"
                "Exit: 0 started, with --wait imported; 1 refused, or with --wait not "
                "imported; 3 the daemon cannot be reached; 64 there is no such cluster.\n",
        .options = COMMAND_FORCE | COMMAND_WAIT | COMMAND_TIMEOUT,
        .maximum_names = -1,
        .run = run,
};
