#include "ctl/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "ctl/complaint.h"
#include "ctl/document.h"
#include "ctl/follow.h"
#include "ctl/page.h"

/* The time of day here; the date is in the journal. */
static const char *time_text(char *buffer, size_t size)
{
        time_t now = (time_t)(clock_wall_usec() / USEC_PER_SEC);
        struct tm parts;

        if (!localtime_r(&now, &parts) || strftime(buffer, size, "%H:%M:%S  ", &parts) == 0)
                buffer[0] = '\0';
        return buffer;
}

/* Broken between words on a terminal, and one line where another program may read it. */
static void print_event(const Page *page, const FollowEvent *event)
{
        const char *state = event->cluster ? event->cluster->state_text
                : event->material          ? event->material->state_text
                                           : "";
        char line[VIEW_REASON_MAX + 128], time[16];

        follow_describe(line, sizeof(line), event);
        if (line[0] == '\0')
                return;
        time_text(time, sizeof(time));
        page_begin(page, state);
        if (page->terminal)
                page_sentence(page, 0, time, line);
        else
                fprintf(page->stream, "%s%s\n", time, line);
        page_end(page);
        (void)fflush(page->stream);
}

static int run(const Request *request)
{
        CLEANUP(follow_freep) Follow *follow = NULL;
        Page page = page_on(stdout);
        FollowEvent event;
        int r = follow_new(&follow, request->socket);

        while (r == 0) {
                r = follow_next(follow, &event, USEC_NEVER);
                if (r < 0)
                        break;
                if (!request->json)
                        print_event(&page, &event);
                else if (event.parameters && event.news != FOLLOW_GONE)
                        r = document_print(stdout, event.parameters);
        }
        if (r == -EREMOTEIO)
                return complain_reply(follow_refusal(follow), "Subscribe", request->json);
        return complain_unreachable(request->socket, r);
}

const Command command_monitor = {
        .name = "monitor",
        .synopsis = "",
        .summary = "follow what happens",
        .help = "Prints each material and cluster with its state, and then every transition "
                "as it happens, until it is interrupted. When the service stops, it waits for"
                " it to come back.\n\n"
                "With --json every line is a document {event, material, cluster}: first event"
                " \"state\" for each, then one \"ready\"; after that \"changed\", \"removed\""
                " and \"reloaded\".\n\n"
                "Exit: 3 the daemon cannot be reached, else it is ended from outside.\n",
        .run = run,
};
