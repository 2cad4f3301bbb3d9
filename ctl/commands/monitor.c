#include "ctl/commands/command.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/json-writer.h"
#include "common/terminal.h"
#include "ctl/client/subscription.h"

/* The local time of day; the journal has the date. */
static const char *time_text(char *buffer, size_t size)
{
        time_t now = (time_t)(clock_wall_usec() / USEC_PER_SEC);
        struct tm parts;

        if (!localtime_r(&now, &parts) || strftime(buffer, size, "%H:%M:%S  ", &parts) == 0)
                buffer[0] = '\0';
        return buffer;
}

/* Wraps the text on a terminal. Elsewhere an event is one line, which other programs can read. */
static void print_event(const Terminal *terminal, const SubscriptionEvent *event)
{
        char line[STATUS_INFO_REASON_MAX + 128], time[16];

        subscription_describe(line, sizeof(line), event);
        if (line[0] == '\0')
                return;
        time_text(time, sizeof(time));
        terminal_color_begin(terminal, event->state);
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
                else if (event.parameters && event.kind != SUBSCRIPTION_GONE)
                        r = json_print(stdout, event.parameters);
        }
        return subscription_error_message(subscription, request->socket, r, request->json);
}

const Command command_monitor = {
        .name = "monitor",
        .synopsis = "",
        .summary = "print every change as it happens",
        .help = "Prints each material and cluster with its state, and then every transition "
                "as it happens, until the command is interrupted. When the service stops, the "
                "command waits until it runs again.\n\n"
                "With --json every line is a document {event, material, cluster}: the event"
                " is \"state\" for each at first, then once \"ready\"; \"changed\","
                " \"removed\" and \"reloaded\" for what happens.\n\n"
                "Exit: 3 the daemon cannot be reached; otherwise the command runs until a signal "
                "ends it.\n",
        .run = run,
};
