#include "ctl/commands/command.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/client/error-message.h"
#include "ctl/output/status-page.h"
#include "ctl/output/status-watch.h"

static int print(const Request *request, const StatusSelection *selection)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(status_info_done) StatusInfo info = STATUS_INFO_NULL;
        Terminal terminal = terminal_open(stdout);
        Health health;
        int r = status_info_fetch(&reply, &info, request->socket);

        if (r == EXIT_SUCCESS)
                r = status_page_check_names(&info, selection);
        if (r != EXIT_SUCCESS)
                return r;
        health = status_page_health(&info, selection);
        r = request->json ? status_page_print_json(reply.parameters, &info, selection)
                          : status_page_print(&terminal, &info, selection);
        if (r < 0 || health == _HEALTH_MAX)
                return error_message_unreachable(request->socket, r < 0 ? r : -EBADMSG);
        return (int)health;
}

static int run(const Request *request)
{
        const StatusSelection selection = {request->names, request->n_names, request->problems};

        return request->watch ? status_watch(request->socket, request->json, &selection)
                              : print(request, &selection);
}

const Command command_status = {
        .name = "status",
        .synopsis = "[--problems] [--watch] [CLUSTER...]",
        .summary = "what is on disk, what is imported, and why not",
        .help = "Prints each material with the set on disk, and each cluster, or those named, "
                "with the set that it acknowledged and what its replication does; the worst "
                "first. Below a material, or clusters with the same problem, are the reason "
                "(why), the next step for you (next), a command for it (run), and since when the "
                "problem lasts and when the service tries again (late). Below a cluster that is "
                "named, or whose replication has a problem, are the source, whether TLS is on, "
                "the lag and when that was read (repl), and errors that are not the reason (I/O, "
                "SQL). The first digits of its fingerprint name a set: equal digits, equal "
                "sets.\n\n"
                "  --problems  only materials and clusters that are not ok, or not current yet; of "
                "these all, where a terminal otherwise shows two with the same problem\n"
                "  --watch     the same again at each change, until the command is interrupted: a "
                "terminal is painted anew, elsewhere a blank line is between two states, and with "
                "--json each is a line\n\n"
                "Exit: 0 ok, 1 warning, 2 critical, 3 the daemon cannot be reached, as "
                "monitoring plugins use them. With names, only these clusters and their "
                "materials count. With --watch the command runs until a signal ends it.\n",
        .options = COMMAND_PROBLEMS | COMMAND_WATCH,
        .maximum_names = -1,
        .run = run,
};
