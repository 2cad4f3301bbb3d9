#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "build.h"
#include "common/clock.h"
#include "common/json.h"
#include "ctl/client.h"
#include "ctl/table.h"
#include "daemon/interface.h"

#define EXIT_UNREACHABLE 3

static void print_help(void)
{
        printf("binlog-sslctl [OPTION...] COMMAND\n\n"
               "Asks binlog-ssld.\n\n"
               "  status [CLUSTER...]  what is on disk, what is imported, and why not;\n"
               "                       exit 0 ok, 1 warning, 2 critical, 3 unreachable\n\n"
               "      --socket PATH    the daemon's socket\n"
               "      --json           print the answer as JSON\n"
               "      --version        print the version\n"
               "      --help           print this text\n");
}

/* The reply's parameters again as a document: the tree is not kept as text. */
static void print_json(JsonWriter *writer, const JsonValue *value)
{
        const char *string = json_get_string(value);
        int64_t integer;
        bool boolean;

        if (json_is_object(value)) {
                json_open_object(writer);
                for (size_t i = 0; i < json_size(value); i++) {
                        json_key(writer, json_key_at(value, i));
                        print_json(writer, json_member(value, json_key_at(value, i)));
                }
                json_close_object(writer);
        } else if (json_is_array(value)) {
                json_open_array(writer);
                for (size_t i = 0; i < json_size(value); i++)
                        print_json(writer, json_element(value, i));
                json_close_array(writer);
        } else if (string)
                json_string(writer, string);
        else if (json_get_integer(&integer, value))
                json_integer(writer, integer);
        else if (json_get_boolean(&boolean, value))
                json_boolean(writer, boolean);
        else
                json_null(writer);
}

static int print_document(const JsonValue *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        CLEANUP(freep) char *text = NULL;
        size_t size;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        print_json(writer, value);
        r = json_writer_finish(writer, &text, &size);
        if (r == 0)
                puts(text);
        return r;
}

static int run_status(const char *socket, bool json, char *const *names, int n_names)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        bool color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
        int r = client_call(&reply, socket, INTERFACE_NAME ".GetStatus", NULL);

        if (r < 0 || reply.error) {
                fprintf(stderr, "binlog-sslctl: binlog-ssld does not answer: %s\n",
                        r < 0 ? strerror(-r) : reply.error);
                return EXIT_UNREACHABLE;
        }
        for (int i = 0; i < n_names; i++)
                if (!table_has_cluster(reply.parameters, names[i])) {
                        fprintf(stderr, "binlog-sslctl: there is no cluster %s\n", names[i]);
                        return EX_USAGE;
                }
        if (json)
                r = print_document(reply.parameters);
        else
                table_print(stdout, reply.parameters, names, n_names, color, clock_wall_usec());
        return r < 0 ? EXIT_UNREACHABLE : table_exit_code(reply.parameters);
}

int main(int argc, char **argv)
{
        enum { OPTION_SOCKET = 256, OPTION_JSON, OPTION_VERSION, OPTION_HELP };
        static const struct option options[] = {
                {"socket", required_argument, NULL, OPTION_SOCKET},
                {"json", no_argument, NULL, OPTION_JSON},
                {"version", no_argument, NULL, OPTION_VERSION},
                {"help", no_argument, NULL, OPTION_HELP},
                {0},
        };
        const char *socket = NULL;
        bool json = false;
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case OPTION_SOCKET:
                        socket = optarg;
                        break;
                case OPTION_JSON:
                        json = true;
                        break;
                case OPTION_VERSION:
                        printf("binlog-sslctl %s\n", BUILD_VERSION);
                        return EXIT_SUCCESS;
                case OPTION_HELP:
                        print_help();
                        return EXIT_SUCCESS;
                default:
                        return EX_USAGE;
                }
        if (optind < argc && strcmp(argv[optind], "status") == 0)
                return run_status(socket, json, argv + optind + 1, argc - optind - 1);
        if (optind < argc)
                fprintf(stderr, "binlog-sslctl: there is no command %s\n", argv[optind]);
        else
                fputs("binlog-sslctl: a command is needed; see --help\n", stderr);
        return EX_USAGE;
}
