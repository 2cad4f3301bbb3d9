#include "ctl/client/error-message.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/terminal.h"
#include "common/text.h"
#include "ctl/client/unit-state.h"
#include "daemon/config/config.h"
#include "daemon/config/paths.h"
#include "daemon/model/interface.h"
#include "daemon/model/status.h"

#define MANAGER_ERROR INTERFACE_NAME "."

void error_message(const char *format, ...)
{
        Terminal terminal = terminal_open(stderr);
        char line[ERROR_MESSAGE_MAX];
        va_list arguments;

        va_start(arguments, format);
        text_vformat(line, sizeof(line), format, arguments);
        va_end(arguments);
        (void)fflush(stdout);
        terminal_paragraph(&terminal, 0, "binlog-sslctl: ", line);
}

/* Without it systemd skips the start of socket and service, and reports no error. */
static bool lacks_configuration(char *ret_path, size_t size, const char *socket)
{
        char path[PATH_MAX];

        return paths_socket(path, sizeof(path)) == 0 && strcmp(path, socket) == 0 &&
                paths_config_file(ret_path, size) == 0 && access(ret_path, F_OK) < 0 &&
                errno == ENOENT;
}

static void describe_silence(char *buffer, size_t size, const char *socket)
{
        UnitState unit = unit_state_read(socket);

        if (unit.failing)
                text_format(buffer, size,
                        "binlog-ssld ends whenever it is started (%s%s%" PRIu32
                        " restarts so far); see: journalctl -u binlog-ssld; when the cause is "
                        "mended, it starts by itself",
                        unit.result, unit.result[0] != '\0' ? ", " : "", unit.n_restarts);
        else
                text_format(buffer, size,
                        "binlog-ssld does not answer at %s; see: journalctl -u binlog-ssld",
                        socket);
}

void error_message_describe_unreachable(char *buffer, size_t size, const char *socket, int error)
{
        char path[PATH_MAX];

        switch (-error) {
        case ENOENT:
        case ENOTDIR:
        case ESHUTDOWN:
                if (lacks_configuration(path, sizeof(path), socket))
                        text_format(buffer, size,
                                "there is no %s, without which binlog-ssld does not start; see: "
                                "man binlog-ssld.conf",
                                path);
                else if (error == -ESHUTDOWN)
                        text_set(buffer, size,
                                "binlog-ssld is stopped; fix: systemctl start binlog-ssld");
                else
                        text_format(buffer, size,
                                "there is no %s: binlog-ssld does not run; fix: systemctl start "
                                "binlog-ssld",
                                socket);
                break;
        case ECONNREFUSED:
                text_format(buffer, size,
                        "nobody listens on %s: binlog-ssld does not run; fix: systemctl start "
                        "binlog-ssld",
                        socket);
                break;
        case EACCES:
                text_format(buffer, size,
                        "%s may not be opened by this user; run the command as root", socket);
                break;
        case ETIMEDOUT:
                describe_silence(buffer, size, socket);
                break;
        case ECONNRESET:
                text_set(buffer, size,
                        "binlog-ssld closed the connection before its answer was complete; see: "
                        "journalctl -u binlog-ssld");
                break;
        case EBADMSG:
                text_format(buffer, size,
                        "the process at %s is not binlog-ssld, or not of a version that this "
                        "command can read",
                        socket);
                break;
        default:
                text_format(buffer, size, "%s: %s", socket, strerror(-error));
        }
}

int error_message_unreachable(const char *socket, int error)
{
        char text[ERROR_MESSAGE_MAX];

        error_message_describe_unreachable(text, sizeof(text), socket, error);
        error_message("%s", text);
        return EXIT_UNREACHABLE;
}

/* What comes instead of a reply. Returns false for any other error. */
static bool describe_refusal(char *buffer, size_t size, const VarlinkReply *reply)
{
        char text[ERROR_MESSAGE_MAX];

        if (strcmp(reply->error, MANAGER_ERROR "TooManyClients") == 0)
                text_set(buffer, size,
                        "binlog-ssld has as many clients as it takes, of this user or of all; end "
                        "some: each running monitor, wait and status --watch is one");
        else if (strcmp(reply->error, MANAGER_ERROR "NotStarted") == 0) {
                json_get_text(text, sizeof(text), reply->parameters, "text");
                text_format(buffer, size,
                        "binlog-ssld does not start: %s; when that is mended: systemctl start "
                        "binlog-ssld",
                        text);
        } else
                return false;
        return true;
}

void error_message_describe_reply(
        char *buffer, size_t size, const VarlinkReply *reply, const char *method)
{
        if (!describe_refusal(buffer, size, reply))
                text_format(buffer, size, "%s: binlog-ssld returned the error %s", method,
                        reply->error);
}

void error_message_describe_problem(
        char buffer[static CONFIG_PROBLEM_SIZE], const JsonValue *problem)
{
        ConfigProblem read = {0};
        int64_t line = 0;

        json_get_text(read.file, sizeof(read.file), problem, "file");
        json_get_text(read.text, sizeof(read.text), problem, "text");
        if (json_get_integer(&line, json_member(problem, "line")) && line > 0 && line <= UINT_MAX)
                read.line = (unsigned)line;
        config_problem_format(buffer, &read);
}

static int error_message_configuration(const JsonValue *parameters)
{
        char text[CONFIG_PROBLEM_SIZE];

        error_message_describe_problem(text, parameters);
        error_message("%s", text);
        error_message("the previous configuration stays in force");
        return EXIT_FAILURE;
}

int error_message_reply(const VarlinkReply *reply, const char *method, bool json)
{
        char name[CONFIG_NAME_MAX], state[32], reason[SUMMARY_TEXT_MAX], text[ERROR_MESSAGE_MAX];

        if (json)
                (void)json_print(stdout, reply->message);
        json_get_text(name, sizeof(name), reply->parameters, "name");
        if (strcmp(reply->error, MANAGER_ERROR "NoSuchCluster") == 0) {
                error_message("there is no cluster %s; see: binlog-sslctl status", name);
                return EX_USAGE;
        }
        if (strcmp(reply->error, MANAGER_ERROR "InvalidConfiguration") == 0)
                return error_message_configuration(reply->parameters);
        if (strcmp(reply->error, MANAGER_ERROR "ClusterEnabled") == 0)
                error_message("cluster %s is enabled and would get the set on disk again; fix: set "
                              "enabled = no in its section, then binlog-sslctl reload",
                        name);
        else if (strcmp(reply->error, MANAGER_ERROR "ClusterBusy") == 0)
                error_message("an import into cluster %s has not ended; fix: wait for its end, see "
                              "binlog-sslctl status",
                        name);
        else if (strcmp(reply->error, MANAGER_ERROR "CheckRunning") == 0)
                error_message("another check of the clusters runs; fix: wait for its end");
        else if (strcmp(reply->error, MANAGER_ERROR "MaterialNotReady") == 0) {
                json_get_text(state, sizeof(state), reply->parameters, "state");
                json_get_text(reason, sizeof(reason), reply->parameters, "reason");
                error_message("material %s is %s%s%s", name, state, reason[0] != '\0' ? ": " : "",
                        reason);
                error_message("next: binlog-sslctl explain %s", name);
        } else if (strcmp(reply->error, VARLINK_ERROR_PERMISSION_DENIED) == 0)
                error_message(
                        "%s requires root, the service's own user, or a member of control-group "
                        "in the configuration",
                        method);
        else if (strcmp(reply->error, VARLINK_ERROR_METHOD_NOT_FOUND) == 0 ||
                strcmp(reply->error, VARLINK_ERROR_METHOD_NOT_IMPLEMENTED) == 0)
                error_message("the running binlog-ssld has no method %s, because it is older than "
                              "this command; fix: systemctl restart binlog-ssld",
                        method);
        else {
                bool refused = describe_refusal(text, sizeof(text), reply);

                if (!refused)
                        error_message_describe_reply(text, sizeof(text), reply, method);
                error_message("%s", text);
                return refused ? EXIT_UNREACHABLE : EXIT_FAILURE;
        }
        return EXIT_FAILURE;
}
