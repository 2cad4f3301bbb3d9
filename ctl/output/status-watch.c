#include "ctl/output/status-watch.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/terminal.h"
#include "ctl/client/error-message.h"
#include "ctl/client/subscription.h"
#include "ctl/client/varlink-client.h"
#include "ctl/output/screen.h"
#include "ctl/output/status-page.h"

/* From a change until the state is read: many come together. */
#define STATUS_WATCH_SETTLE_USEC (200 * USEC_PER_MSEC)

/* Of a terminal. Ages grow, and some things change without an event: the lag of a replica, and that
 * a configuration is refused. */
#define STATUS_WATCH_PAINT_USEC USEC_PER_SEC
#define STATUS_WATCH_READ_USEC  (5 * USEC_PER_SEC)

typedef struct StatusWatch {
        const char *socket;
        bool json;
        const StatusSelection *selection;
        Subscription *subscription;
        VarlinkReply reply; /* the last one of GetStatus, and what it says */
        StatusInfo info;
        uint64_t read_usec; /* its boot time */
        bool due;           /* there is another state than this */
        bool gone;          /* the service is */
        bool is_tty, is_begun;
        Screen screen;
} StatusWatch;

static void status_watch_done(StatusWatch *watch)
{
        status_info_done(&watch->info);
        varlink_reply_done(&watch->reply);
        subscription_free(watch->subscription);
}

/* Returns true if the state was read. Otherwise the service stops, or has too many clients: the
 * subscription finds that out, or a later call succeeds. */
static bool read_state(StatusWatch *watch)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(status_info_done) StatusInfo info = STATUS_INFO_NULL;
        int r = varlink_client_request(&reply, watch->socket, "GetStatus", NULL);

        if (r < 0 || reply.error || status_info_load(&info, reply.parameters) < 0)
                return false;
        varlink_reply_done(&watch->reply);
        status_info_done(&watch->info);
        watch->reply = reply;
        watch->info = info;
        reply = VARLINK_REPLY_NULL;
        info = STATUS_INFO_NULL;
        watch->read_usec = clock_boottime_usec();
        watch->due = false;
        return true;
}

static void put_gone(const Terminal *terminal, uint64_t read_usec)
{
        char time[TERMINAL_TIME_SIZE], line[128];

        snprintf(line, sizeof(line), "%s; this was the state %s:", SUBSCRIPTION_GONE_TEXT,
                terminal_time(time, terminal, clock_wall_at_usec(read_usec)));
        terminal_color_begin(terminal, "critical");
        terminal_paragraph(terminal, 0, "", line);
        terminal_color_end(terminal);
}

static int paint(StatusWatch *watch)
{
        CLEANUP(freep) char *text = NULL;
        Terminal terminal = terminal_open(stdout);
        size_t size;
        int r;

        terminal.stream = open_memstream(&text, &size);
        if (!terminal.stream)
                return -ENOMEM;
        if (watch->gone)
                put_gone(&terminal, watch->read_usec);
        r = status_page_print(&terminal, &watch->info, watch->selection);
        if (fclose(terminal.stream) != 0 && r == 0)
                r = -ENOMEM;
        return r < 0 ? r : screen_paint(&watch->screen, text);
}

static int print(StatusWatch *watch)
{
        Terminal terminal = terminal_open(stdout);
        int r;

        if (watch->json)
                return status_page_print_json(
                        watch->reply.parameters, &watch->info, watch->selection);
        if (watch->is_begun)
                fputc('\n', stdout);
        watch->is_begun = true;
        r = status_page_print(&terminal, &watch->info, watch->selection);
        return r == 0 && fflush(stdout) != 0 ? -EIO : r;
}

/* Waits for a change, and shortly for those that come with it. */
static int wait_change(StatusWatch *watch, uint64_t deadline_usec)
{
        SubscriptionEvent event;
        int r;

        do {
                r = subscription_next(watch->subscription, &event, deadline_usec);
                if (r < 0)
                        return r;
                if (event.kind == SUBSCRIPTION_GONE) {
                        watch->gone = true;
                        if (!watch->is_tty)
                                error_message("%s", SUBSCRIPTION_GONE_TEXT);
                        return 0;
                }
                if (event.kind == SUBSCRIPTION_SILENCE ||
                        !subscription_is_connected(watch->subscription))
                        continue; /* or the state is not complete yet */
                watch->gone = false;
                if (!watch->due && clock_left_usec(deadline_usec) > STATUS_WATCH_SETTLE_USEC)
                        deadline_usec = clock_boottime_usec() + STATUS_WATCH_SETTLE_USEC;
                watch->due = true;
        } while (clock_left_usec(deadline_usec) > 0);
        return 0;
}

static bool is_old(const StatusWatch *watch)
{
        return watch->is_tty && clock_boottime_usec() - watch->read_usec >= STATUS_WATCH_READ_USEC;
}

static int follow(StatusWatch *watch)
{
        int r = 0;

        while (r == 0) {
                bool read = !watch->gone && (watch->due || is_old(watch)) && read_state(watch);

                if (watch->is_tty)
                        r = paint(watch);
                else if (read)
                        r = print(watch);
                if (r == 0)
                        r = wait_change(watch,
                                watch->is_tty || (watch->due && !watch->gone)
                                        ? clock_boottime_usec() + STATUS_WATCH_PAINT_USEC
                                        : USEC_NEVER);
        }
        return r;
}

int status_watch(const char *socket, bool json, const StatusSelection *selection)
{
        CLEANUP(status_watch_done)
        StatusWatch watch = {.socket = socket,
                .json = json,
                .selection = selection,
                .reply = VARLINK_REPLY_NULL,
                .info = STATUS_INFO_NULL,
                .is_tty = terminal_open(stdout).is_tty && !json,
                .screen = {.stream = stdout}};
        int r = subscription_new(&watch.subscription, socket);

        if (r == 0)
                r = subscription_wait_ready(watch.subscription);
        if (r < 0)
                return subscription_error_message(watch.subscription, socket, r, json);
        r = status_info_fetch(&watch.reply, &watch.info, socket);
        if (r == EXIT_SUCCESS)
                r = status_page_check_names(&watch.info, selection);
        if (r != EXIT_SUCCESS)
                return r;
        watch.read_usec = clock_boottime_usec();
        r = watch.is_tty ? 0 : print(&watch);
        if (r == 0)
                r = follow(&watch);
        return subscription_error_message(watch.subscription, socket, r, json);
}
