#include "ctl/commands/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/json-writer.h"
#include "ctl/client/varlink-client.h"

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        int r = varlink_client_call(&reply, request->socket, "Reload",
                request->dry_run ? "{\"dry_run\":true}" : NULL, request->json);

        if (r != EXIT_SUCCESS)
                return r;
        if (request->json)
                (void)json_print(stdout, reply.parameters);
        else
                puts(request->dry_run ? "the configuration on disk can be loaded"
                                      : "the configuration was read again and is in force");
        return EXIT_SUCCESS;
}

const Command command_reload = {
        .name = "reload",
        .synopsis = "[--dry-run]",
        .summary = "read the configuration again",
        .help = "Makes the service read its configuration again: clusters and materials are "
                "added, changed and removed without a restart, running imports continue, and "
                "every back-off is reset. A configuration that cannot be used is refused with "
                "file, line and what is allowed; the previous one stays in force, and the status "
                "says so until a reload succeeds. Requires root, the service's own user, or a "
                "member of control-group.\n\n"
                "  --dry-run  only read it, with the rights of the service\n\n"
                "Exit: 0 in force; 1 refused, the reason is printed; 3 the daemon cannot be "
                "reached.\n",
        .options = COMMAND_DRY_RUN,
        .run = run,
};
