#include "ctl/complaint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/text.h"
#include "ctl/document.h"
#include "ctl/view.h"
#include "daemon/interface.h"

#define OURS INTERFACE_NAME "."

void complain(const char *format, ...)
{
        char line[4096];
        va_list arguments;

        va_start(arguments, format);
        text_vformat(line, sizeof(line), format, arguments);
        va_end(arguments);
        (void)fflush(stdout);
        fprintf(stderr, "binlog-sslctl: %s\n", line);
}

int complain_unreachable(const char *socket, int error)
{
        switch (-error) {
        case ENOENT:
        case ENOTDIR:
                complain("there is no %s; does the service run? systemctl status binlog-ssld",
                        socket);
                break;
        case ECONNREFUSED:
                complain("nobody listens on %s, it was left behind; does the service run? "
                         "systemctl status binlog-ssld",
                        socket);
                break;
        case EACCES:
                complain("%s may not be opened by this user; ask as root", socket);
                break;
        case ETIMEDOUT:
                complain("binlog-ssld does not answer at %s; journalctl -u binlog-ssld", socket);
                break;
        case ECONNRESET:
                complain("binlog-ssld left before its answer was whole; journalctl -u binlog-ssld");
                break;
        case EBADMSG:
                complain("what answers at %s is not binlog-ssld as this command knows it", socket);
                break;
        default:
                complain("%s: %s", socket, strerror(-error));
        }
        return EXIT_UNREACHABLE;
}

static int complain_configuration(const JsonValue *parameters)
{
        char file[4096], text[1024];
        int64_t line = 0;

        view_text(file, sizeof(file), parameters, "file");
        view_text(text, sizeof(text), parameters, "text");
        if (json_get_integer(&line, json_member(parameters, "line")) && line > 0)
                complain("%s:%" PRId64 ": %s", file, line, text);
        else
                complain("%s: %s", file, text);
        complain("the configuration that was in force stays in force");
        return EXIT_FAILURE;
}

int complain_reply(const VarlinkReply *reply, const char *method, bool json)
{
        char name[CONFIG_NAME_MAX], state[VIEW_WORD_MAX], reason[VIEW_REASON_MAX];

        if (json)
                (void)document_print(stdout, reply->message);
        view_text(name, sizeof(name), reply->parameters, "name");
        if (strcmp(reply->error, OURS "NoSuchCluster") == 0) {
                complain("there is no cluster %s; see: binlog-sslctl status", name);
                return EX_USAGE;
        }
        if (strcmp(reply->error, OURS "InvalidConfiguration") == 0)
                return complain_configuration(reply->parameters);
        if (strcmp(reply->error, OURS "MaterialNotReady") == 0) {
                view_text(state, sizeof(state), reply->parameters, "state");
                view_text(reason, sizeof(reason), reply->parameters, "reason");
                complain("material %s is %s%s%s", name, state, reason[0] != '\0' ? ": " : "",
                        reason);
                complain("next: binlog-sslctl explain %s", name);
        } else if (strcmp(reply->error, VARLINK_ERROR_PERMISSION_DENIED) == 0)
                complain("%s is for root, the service's own user and the members of control-group "
                         "in the configuration",
                        method);
        else if (strcmp(reply->error, VARLINK_ERROR_METHOD_NOT_FOUND) == 0 ||
                strcmp(reply->error, VARLINK_ERROR_METHOD_NOT_IMPLEMENTED) == 0)
                complain("the binlog-ssld that runs does not know %s, it is older than this "
                         "command; systemctl restart binlog-ssld",
                        method);
        else
                complain("%s: binlog-ssld answers %s", method, reply->error);
        return EXIT_FAILURE;
}
