#include "ctl/commands/command.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/json-writer.h"
#include "common/terminal.h"
#include "ctl/client/error-message.h"
#include "ctl/client/subscription.h"

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
static void print_event(const Terminal *terminal, const SubscriptionEvent *event)
{
        const char *state = event->cluster ? event->cluster->state_text
                : event->material          ? event->material->state_text
                                           : "";
        char line[STATUS_INFO_REASON_MAX + 128], time[16];

        subscription_describe(line, sizeof(line), event);
        if (line[0] == '\0')
                return;
        time_text(time, sizeof(time));
        terminal_color_begin(terminal, state);
        if (terminal->is_tty)
                terminal_paragraph(terminal, 0, time, line);
        else
                fprintf(terminal->stream, "%s%s\n", time, line);
        terminal_color_end(terminal);
        (void)fflush(terminal->stream);
}

static int run(const Request *request)
{
        CLEANUP(subscription_freep) Subscription *subscription = NULL;
        Terminal terminal = terminal_open(stdout);
        SubscriptionEvent event;
        int r = subscription_new(&subscription, request->socket);

        while (r == 0) {
                r = subscription_next(subscription, &event, USEC_NEVER);
                if (r < 0)
                        break;
                if (!request->json)
                        print_event(&terminal, &event);
                else if (event.parameters && event.news != SUBSCRIPTION_GONE)
                        r = json_print(stdout, event.parameters);
        }
        if (r == -EREMOTEIO)
                return error_message_reply(
                        subscription_refusal(subscription), "Subscribe", request->json);
        return error_message_unreachable(request->socket, r);
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
