#include "ctl/commands/command.h"

#include <stdlib.h>

#include "common/json-writer.h"
#include "common/terminal.h"
#include "ctl/client/cluster-names.h"
#include "ctl/client/error-message.h"
#include "ctl/client/varlink-client.h"
#include "ctl/output/history-table.h"

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(freep) char *parameters = NULL;
        Terminal terminal = terminal_open(stdout);
        int r = cluster_names_format(
                &parameters, request->socket, request->names, request->n_names, false);

        if (r != EXIT_SUCCESS)
                return r;
        r = varlink_client_call(&reply, request->socket, "GetHistory", parameters, request->json);
        if (r != EXIT_SUCCESS)
                return r;
        r = request->json ? json_print(stdout, reply.parameters)
                          : history_table_print(&terminal, reply.parameters);
        return r < 0 ? error_message_unreachable(request->socket, r) : EXIT_SUCCESS;
}

const Command command_history = {
        .name = "history",
        .synopsis = "[CLUSTER...]",
        .summary = "what was tried when, and with which result",
        .help = "Prints the last attempts of each cluster, or those named, also from before the "
                "last start of the service: at most 16 of each, the newest first, in local time. "
                "The actions are import, restart or start of replication, rollback to the set "
                "before, remove, and check. The trigger is what led to it: rotation, a new set; "
                "command, an operator; retry; check, which found that replication fails or the "
                "set is gone; import, after which replication fails.\n\n"
                "What fails again in the same way is one entry, with how often and since when. A "
                "check is an entry only when its result changes, and the last success always is "
                "one. Of more than 256 clusters only the newest entries are shown; name some to "
                "get all of theirs.\n\n"
                "Exit: 0 done, 3 the daemon cannot be reached.\n",
        .maximum_names = -1,
        .run = run,
};
