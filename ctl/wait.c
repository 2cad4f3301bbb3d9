#include "ctl/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/client.h"
#include "ctl/complaint.h"
#include "ctl/document.h"
#include "ctl/follow.h"
#include "ctl/judgement.h"
#include "ctl/progress.h"
#include "ctl/table.h"
#include "daemon/identity.h"

typedef struct Wait {
        const Request *request;
        Follow *follow;
        Progress progress;
        Expectation expectation;
        Judgement judgement;
        uint64_t deadline_usec; /* boot time */
        char **names;           /* of the clusters concerned, for what is printed at the end */
} Wait;

static void wait_done(Wait *wait)
{
        free(wait->names);
        follow_free(wait->follow);
}

static void show_progress(Wait *wait)
{
        char elapsed[PAGE_TIME_SIZE], left[PAGE_TIME_SIZE];
        Page *page = &wait->progress.page;

        page->now_usec = clock_wall_usec();
        page_age(elapsed, page, wait->expectation.start_at_usec);
        page_time(left, page, wait->expectation.deadline_at_usec);
        if (!follow_is_connected(wait->follow))
                progress_show(&wait->progress, "binlog-ssld is gone; waiting for it, %s", elapsed);
        else if (wait->judgement.n_concerned == 0)
                progress_show(&wait->progress, "%s; %s, giving up %s",
                        wait->expectation.digest[0] != '\0'
                                ? "the service has not seen the certificate yet"
                                : "no cluster is enabled",
                        elapsed, left);
        else
                progress_show(&wait->progress, "%zu/%zu clusters current%s%s; %s, giving up %s",
                        wait->judgement.n_current, wait->judgement.n_concerned,
                        wait->judgement.importing ? "; importing " : "",
                        wait->judgement.importing ? wait->judgement.importing : "", elapsed, left);
}

static Answer judge(Wait *wait)
{
        if (!follow_is_connected(wait->follow))
                return ANSWER_NOT_YET;
        wait->judgement =
                judgement_of(&wait->expectation, follow_view(wait->follow), clock_wall_usec());
        return wait->judgement.answer;
}

/* Until there is an answer or the time is over, which is ANSWER_NOT_YET. */
static int follow_on(Wait *wait, Answer *ret)
{
        char line[VIEW_REASON_MAX + 128];
        FollowEvent event;

        while ((*ret = judge(wait)) == ANSWER_NOT_YET) {
                uint64_t now = clock_boottime_usec(), tick = now + USEC_PER_SEC;
                int r;

                if (now >= wait->deadline_usec)
                        return 0;
                show_progress(wait);
                r = follow_next(wait->follow, &event,
                        tick < wait->deadline_usec ? tick : wait->deadline_usec);
                if (r < 0)
                        return r;
                follow_describe(line, sizeof(line), &event);
                if (event.news != FOLLOW_STATE)
                        progress_step(&wait->progress, line);
        }
        return 0;
}

static int collect_names(Wait *wait)
{
        const View *view = follow_view(wait->follow);
        size_t n = 0;

        wait->names = calloc(view->n_clusters + 1, sizeof(char *));
        if (!wait->names)
                return -ENOMEM;
        for (size_t i = 0; i < view->n_clusters; i++) {
                ClusterView *cluster = &view->clusters[i];
                const MaterialView *material = view_material(view, cluster->material);

                if (cluster->state != CLUSTER_DISABLED && material &&
                        judgement_concerns(&wait->expectation, material))
                        wait->names[n++] = cluster->name;
        }
        wait->judgement.n_concerned = n;
        return 0;
}

static int print_json(const Wait *wait, Answer answer)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        const View *view = follow_view(wait->follow);
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        json_key(writer, "current");
        json_boolean(writer, answer == ANSWER_YES);
        json_key(writer, "materials");
        json_open_array(writer);
        for (size_t i = 0; i < view->n_materials; i++)
                if (judgement_concerns(&wait->expectation, &view->materials[i]))
                        json_raw(writer, view->materials[i].json, strlen(view->materials[i].json));
        json_close_array(writer);
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < wait->judgement.n_concerned; i++) {
                const ClusterView *cluster = view_cluster(view, wait->names[i]);

                json_raw(writer, cluster->json, strlen(cluster->json));
        }
        json_close_array(writer);
        json_close_object(writer);
        return document_finish(stdout, writer);
}

static void print_success(const Wait *wait)
{
        if (wait->judgement.n_concerned == 0)
                puts("what is on disk is good, and no enabled cluster uses it");
        else
                printf("%zu/%zu clusters current\n", wait->judgement.n_current,
                        wait->judgement.n_concerned);
}

static bool nobody_has_certificate(const Wait *wait)
{
        const View *view = follow_view(wait->follow);

        for (size_t i = 0; i < view->n_materials; i++)
                if (judgement_concerns(&wait->expectation, &view->materials[i]))
                        return false;
        return true;
}

static void print_failure(const Wait *wait, Answer answer)
{
        Page page = page_on(stderr);

        if (nobody_has_certificate(wait)) {
                complain("the certificate in %s is in no material that the service sees",
                        wait->request->cert);
                complain("next: does the renewal tool write to the directory below? "
                         "binlog-sslctl explain");
                table_print(&page, follow_view(wait->follow), NULL, 0);
                return;
        }
        complain("%zu/%zu clusters current%s", wait->judgement.n_current,
                wait->judgement.n_concerned,
                answer == ANSWER_NO ? "; waiting longer does not help" : "; the time is over");
        table_print_trouble(
                &page, follow_view(wait->follow), wait->names, (int)wait->judgement.n_concerned);
}

static int conclude(Wait *wait, Answer answer)
{
        int r = collect_names(wait);

        progress_clear(&wait->progress);
        if (r == 0 && wait->request->json)
                r = print_json(wait, answer);
        if (r < 0)
                return complain_unreachable(wait->request->socket, r);
        if (answer == ANSWER_YES) {
                if (!wait->request->json)
                        print_success(wait);
                return EXIT_SUCCESS;
        }
        if (!follow_is_connected(wait->follow)) {
                complain("binlog-ssld went away while it was waited for, and is not back");
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
                .progress = progress_on(stdout, request->json),
                .deadline_usec = clock_boottime_usec() + request->timeout_usec,
                .expectation.start_at_usec = clock_wall_usec(),
        };
        Answer answer = ANSWER_NOT_YET;
        char problem[PROBLEM_TEXT_MAX];
        int r = 0;

        wait.expectation.deadline_at_usec = wait.expectation.start_at_usec + request->timeout_usec;
        if (request->cert)
                r = identity_read_digest(
                        wait.expectation.digest, request->cert, problem, sizeof(problem));
        if (r < 0) {
                complain("%s", r == -EINVAL ? problem : strerror(-r));
                return EXIT_FAILURE;
        }
        r = follow_new(&wait.follow, request->socket);
        if (r == 0)
                r = follow_until_ready(wait.follow, clock_boottime_usec() + CLIENT_TIMEOUT_USEC);
        if (r == 0)
                r = follow_on(&wait, &answer);
        progress_clear(&wait.progress);
        if (r == -EREMOTEIO)
                return complain_reply(follow_refusal(wait.follow), "Subscribe", request->json);
        if (r < 0)
                return complain_unreachable(request->socket, r);
        return conclude(&wait, answer);
}

const Command command_wait = {
        .name = "wait",
        .synopsis = "[--cert FILE] [--timeout T]",
        .summary = "until every cluster carries what is on disk",
        .help = "For deploy hooks of renewal tools: a pipeline that ends in this fails when "
                "the import fails. Waits until every enabled cluster carries what is on disk."
                " It gives up early when waiting does not help, because a cluster is held or "
                "what is on disk stays unusable, and says why.\n\n"
                "  --cert FILE  what is on disk must be the first certificate in FILE; "
                "without it the answer may be for the old set, if the service has not seen "
                "the new one yet\n"
                "  --timeout T  give up after T, such as 90s; default 5min\n\n"
                "Exit: 0 every cluster carries it; 1 not, and why is printed; 3 the daemon "
                "cannot be reached.\n",
        .options = COMMAND_CERT | COMMAND_TIMEOUT,
        .run = run,
};
