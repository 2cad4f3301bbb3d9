#include "ctl/commands/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-writer.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/client/subscription.h"
#include "ctl/client/varlink-client.h"
#include "ctl/client/wait-condition.h"
#include "ctl/output/progress.h"
#include "ctl/output/status-table.h"
#include "daemon/inspect/pem.h"

typedef struct Wait {
        const Request *request;
        Subscription *subscription;
        Progress progress;
        WaitTarget target;
        WaitResult result;
        char **names; /* of the clusters concerned, for the final output */
} Wait;

static void wait_done(Wait *wait)
{
        free(wait->names);
        subscription_free(wait->subscription);
}

static void show_progress(Wait *wait)
{
        char elapsed[TERMINAL_TIME_SIZE], left[TERMINAL_TIME_SIZE];
        Terminal *terminal = &wait->progress.terminal;

        terminal->now_usec = clock_wall_usec();
        terminal_age(elapsed, terminal, clock_wall_at_usec(wait->target.start_usec));
        terminal_time(left, terminal, clock_wall_at_usec(wait->target.deadline_usec));
        if (!subscription_is_connected(wait->subscription))
                progress_show(&wait->progress, "binlog-ssld is gone; waiting for it, %s", elapsed);
        else if (wait->result.n_concerned == 0)
                progress_show(&wait->progress, "%s; %s, giving up %s",
                        wait->target.digest[0] != '\0'
                                ? "the service has not detected the certificate yet"
                                : "no cluster is enabled",
                        elapsed, left);
        else
                progress_show(&wait->progress, "%zu/%zu clusters current%s%s%s; %s, giving up %s",
                        wait->result.n_current, wait->result.n_concerned,
                        wait->result.importing ? "; importing " : "",
                        wait->result.importing ? wait->result.importing : "",
                        wait->result.n_failing > 0 ? "; replication does not run again yet" : "",
                        elapsed, left);
}

static WaitAnswer evaluate(Wait *wait)
{
        if (!subscription_is_connected(wait->subscription))
                return WAIT_NOT_YET;
        wait->result =
                wait_condition_evaluate(&wait->target, subscription_status_info(wait->subscription),
                        clock_boottime_usec(), clock_wall_usec());
        return wait->result.answer;
}

/* Returns when there is an answer. WAIT_NOT_YET: the time is over. */
static int follow_changes(Wait *wait, WaitAnswer *ret)
{
        char line[STATUS_INFO_REASON_MAX + 128];
        SubscriptionEvent event;

        while ((*ret = evaluate(wait)) == WAIT_NOT_YET) {
                int r;

                show_progress(wait);
                r = subscription_next_second(
                        wait->subscription, &event, wait->target.deadline_usec);
                if (r < 0)
                        return r == -ETIMEDOUT ? 0 : r;
                subscription_describe(line, sizeof(line), &event);
                if (event.kind != SUBSCRIPTION_STATE)
                        progress_step(&wait->progress, line);
        }
        return 0;
}

static int collect_names(Wait *wait)
{
        const StatusInfo *info = subscription_status_info(wait->subscription);
        size_t n = 0;

        wait->names = calloc(info->n_clusters + 1, sizeof(char *));
        if (!wait->names)
                return -ENOMEM;
        for (size_t i = 0; i < info->n_clusters; i++) {
                ClusterInfo *cluster = &info->clusters[i];

                if (wait_condition_includes(&wait->target, info, cluster))
                        wait->names[n++] = cluster->name;
        }
        wait->result.n_concerned = n;
        return 0;
}

static int print_json(const Wait *wait, WaitAnswer answer)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        const StatusInfo *info = subscription_status_info(wait->subscription);

        json_open_object(writer);
        json_put_boolean(writer, "current",
                answer == WAIT_YES ||
                        (wait->result.n_failing > 0 &&
                                wait->result.n_current == wait->result.n_concerned));
        json_key(writer, "materials");
        json_open_array(writer);
        for (size_t i = 0; i < info->n_materials; i++)
                if (wait_condition_concerns(&wait->target, &info->materials[i]))
                        json_raw(writer, info->materials[i].json, strlen(info->materials[i].json));
        json_close_array(writer);
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < wait->result.n_concerned; i++) {
                const ClusterInfo *cluster = status_info_cluster(info, wait->names[i]);

                json_raw(writer, cluster->json, strlen(cluster->json));
        }
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_print(stdout, writer);
}

static void print_success(const Wait *wait)
{
        if (wait->result.n_concerned == 0)
                puts("the set on disk is good, and no enabled cluster uses it");
        else
                printf("%zu/%zu clusters current\n", wait->result.n_current,
                        wait->result.n_concerned);
}

static bool certificate_is_nowhere(const Wait *wait)
{
        const StatusInfo *info = subscription_status_info(wait->subscription);

        for (size_t i = 0; i < info->n_materials; i++)
                if (wait_condition_concerns(&wait->target, &info->materials[i]))
                        return false;
        return true;
}

static void print_failure(const Wait *wait, WaitAnswer answer)
{
        Terminal terminal = terminal_open(stderr);
        const StatusInfo *info = subscription_status_info(wait->subscription);
        char failing[64] = "";

        if (certificate_is_nowhere(wait)) {
                error_message("the certificate in %s is in no material of the service",
                        wait->request->cert);
                error_message("next: does the renewal tool write to the directory below? "
                              "run: binlog-sslctl explain");
                (void)status_table_print(&terminal, info, &(StatusSelection){0});
                return;
        }
        if (wait->result.n_failing > 0)
                text_format(failing, sizeof(failing), ", but replication fails in %zu",
                        wait->result.n_failing);
        error_message("%zu/%zu clusters current%s%s", wait->result.n_current,
                wait->result.n_concerned, failing,
                answer == WAIT_NO ? "; waiting longer does not help" : "; the time is over");
        (void)status_table_print(&terminal, info,
                &(StatusSelection){wait->names, (int)wait->result.n_concerned, .problems = true});
}

static int conclude(Wait *wait, WaitAnswer answer)
{
        int r = collect_names(wait);

        progress_clear(&wait->progress);
        if (r == 0 && wait->request->json)
                r = print_json(wait, answer);
        if (r < 0)
                return error_message_unreachable(wait->request->socket, r);
        if (answer == WAIT_YES) {
                if (!wait->request->json)
                        print_success(wait);
                return EXIT_SUCCESS;
        }
        if (!subscription_is_connected(wait->subscription)) {
                error_message("binlog-ssld went away and did not come back in time");
                return EXIT_UNREACHABLE;
        }
        print_failure(wait, answer);
        return EXIT_FAILURE;
}

static int run(const Request *request)
{
        CLEANUP(wait_done)
        Wait wait = {
                .request = request,
                .progress = progress_open(stdout, request->json),
                .target.start_usec = clock_boottime_usec(),
                .target.ignores_replication = request->ignore_replication,
        };
        WaitAnswer answer = WAIT_NOT_YET;
        char problem[PROBLEM_TEXT_MAX];
        int r = 0;

        wait.target.deadline_usec = wait.target.start_usec + request->timeout_usec;
        if (request->cert)
                r = pem_read_sha256(wait.target.digest, request->cert, clock_wall_usec(), problem,
                        sizeof(problem));
        if (r < 0) {
                error_message("%s", r == -EINVAL ? problem : strerror(-r));
                return EXIT_FAILURE;
        }
        r = subscription_new(&wait.subscription, request->socket);
        if (r == 0)
                r = subscription_wait_ready(wait.subscription);
        if (r == 0)
                r = follow_changes(&wait, &answer);
        progress_clear(&wait.progress);
        if (r < 0)
                return subscription_error_message(
                        wait.subscription, request->socket, r, request->json);
        return conclude(&wait, answer);
}

const Command command_wait = {
        .name = "wait",
        .synopsis = "[--cert FILE] [--ignore-replication] [--timeout T]",
        .summary = "wait until the set on disk is imported into every cluster",
        .help = "For deploy hooks of renewal tools: waits until the set on disk is imported into "
                "every enabled cluster. A hook that ends with this command fails when the import "
                "fails, or replication does with the new set. The command fails early, with the "
                "reason, when waiting cannot help: a cluster is held, the set on disk remains "
                "unusable, or replication still fails two minutes after the import.\n\n"
                "  --cert FILE  the certificate on disk must be the first one in FILE; without "
                "this option the result can be that of the previous set, if the service has not "
                "detected the new one yet\n"
                "  --ignore-replication  succeed also if replication fails\n"
                "  --timeout T  fail after T, such as 90s; default 5min\n\n"
                "Exit: 0 the set is imported into every cluster; 1 it is not, or replication "
                "fails, the reason is printed; 3 the daemon cannot be reached.\n",
        .options = COMMAND_CERT | COMMAND_TIMEOUT | COMMAND_IGNORE_REPLICATION,
        .run = run,
};
