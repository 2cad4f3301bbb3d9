#include "ctl/commands/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/client/varlink-client.h"

/* Prints line by line, because control characters within a line are replaced (common/text.h). */
static int print_lines(const char *text)
{
        size_t capacity = strlen(text) + 1;
        CLEANUP(freep) char *line = malloc(capacity);

        while (line && *text != '\0') {
                size_t length = strcspn(text, "\n");

                text_copy(line, capacity, text, length);
                puts(line);
                text += length + (text[length] == '\n');
        }
        return line ? 0 : -ENOMEM;
}

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        const char *text;
        int r = varlink_client_call(&reply, request->socket, "GetMetrics", NULL, request->json);

        if (r != EXIT_SUCCESS)
                return r;
        text = json_get_string(json_member(reply.parameters, "text"));
        if (!text)
                r = -EBADMSG;
        else
                r = request->json ? json_print(stdout, reply.parameters) : print_lines(text);
        return r < 0 ? error_message_unreachable(request->socket, r) : EXIT_SUCCESS;
}

const Command command_metrics = {
        .name = "metrics",
        .synopsis = "",
        .summary = "the metrics in the format of Prometheus",
        .help = "Prints the metrics of the service in the text format of Prometheus; "
                "metrics-file in the configuration writes them to a file for the node "
                "exporter.\n\n"
                "Exit: 0, or 3 when the daemon cannot be reached.\n",
        .run = run,
};
