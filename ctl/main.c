#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "build.h"
#include "common/clock.h"
#include "common/terminal.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/commands/command.h"
#include "daemon/config/paths.h"

static const Command *const commands[] = {
        &command_status,
        &command_history,
        &command_explain,
        &command_check,
        &command_check_clusters,
        &command_import,
        &command_remove,
        &command_wait,
        &command_monitor,
        &command_metrics,
        &command_nagios,
        &command_reload,
};

enum {
        OPTION_SOCKET = 256,
        OPTION_JSON,
        OPTION_FORCE,
        OPTION_WAIT,
        OPTION_TIMEOUT,
        OPTION_CA,
        OPTION_CERT,
        OPTION_KEY,
        OPTION_PROBLEMS,
        OPTION_WATCH,
        OPTION_DRY_RUN,
        OPTION_IGNORE_REPLICATION,
        OPTION_VERSION,
        OPTION_HELP,
};

static const struct option options[] = {
        {"socket", required_argument, NULL, OPTION_SOCKET},
        {"json", no_argument, NULL, OPTION_JSON},
        {"force", no_argument, NULL, OPTION_FORCE},
        {"wait", no_argument, NULL, OPTION_WAIT},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"ca", required_argument, NULL, OPTION_CA},
        {"cert", required_argument, NULL, OPTION_CERT},
        {"key", required_argument, NULL, OPTION_KEY},
        {"problems", no_argument, NULL, OPTION_PROBLEMS},
        {"watch", no_argument, NULL, OPTION_WATCH},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"ignore-replication", no_argument, NULL, OPTION_IGNORE_REPLICATION},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
};

/* A line is one paragraph, or an option with its meaning. */
static void print_line(const Terminal *terminal, const char *text)
{
        char line[1024], label[32] = "";
        size_t length = strcspn(text, "\n"), words = 0;

        text_copy(line, sizeof(line), text, length);
        if (strncmp(line, "  --", 4) == 0) {
                const char *gap = strstr(line + 2, "  ");

                words = gap ? (size_t)(gap - line) + strspn(gap, " ") : 0;
                snprintf(label, sizeof(label), "%.*s", (int)words, line);
        }
        if (line[0] == '\0')
                fputc('\n', terminal->stream);
        terminal_paragraph(terminal, 0, label, line + words);
}

static void print_help(const Command *command)
{
        Terminal terminal = terminal_open(stdout);
        char label[32];

        terminal.wraps = true; /* also in a pager */
        if (command) {
                printf("binlog-sslctl %s%s%s\n\n", command->name,
                        command->synopsis[0] != '\0' ? " " : "", command->synopsis);
                for (const char *line = command->help; *line != '\0';) {
                        print_line(&terminal, line);
                        line += strcspn(line, "\n");
                        line += *line == '\n';
                }
                return;
        }
        printf("binlog-sslctl [OPTION...] COMMAND\n\nQuery and control binlog-ssld.\n\n");
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
                snprintf(label, sizeof(label), "  %-16s", commands[i]->name);
                terminal_paragraph(&terminal, 0, label, commands[i]->summary);
        }
        printf("\n  --socket PATH   the socket of the daemon\n"
               "  --json          print JSON; times are microseconds since the epoch\n"
               "  --version       print the version\n"
               "  --help          print this text, or that of the command\n\n"
               "binlog-sslctl COMMAND --help describes a command; so does man binlog-sslctl.\n");
}

/* Returns the edit distance: the letters to change, add or remove to make the words equal. */
static size_t distance(const char *a, const char *b)
{
        size_t first, second, third;

        while (*a != '\0' && *a == *b)
                a++, b++;
        if (*a == '\0' || *b == '\0')
                return strlen(a) + strlen(b);
        first = distance(a + 1, b);
        second = distance(a, b + 1);
        third = distance(a + 1, b + 1);
        first = first < second ? first : second;
        return 1 + (first < third ? first : third);
}

static const Command *find_command(const char *name)
{
        const Command *near = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
                if (strcmp(commands[i]->name, name) == 0)
                        return commands[i];
                if (strlen(name) <= 9 && distance(commands[i]->name, name) <= 2)
                        near = commands[i];
        }
        if (near)
                error_message("there is no command %s; did you mean %s?", name, near->name);
        else
                error_message("there is no command %s; binlog-sslctl --help lists them", name);
        return NULL;
}

/* Stores one option; `used` collects those that only some commands accept. */
static int parse_option(Request *request, unsigned *used, int option)
{
        switch (option) {
        case OPTION_SOCKET:
                request->socket = optarg;
                return 0;
        case OPTION_JSON:
                request->json = true;
                return 0;
        case OPTION_FORCE:
                request->force = true;
                *used |= COMMAND_FORCE;
                return 0;
        case OPTION_WAIT:
                request->wait = true;
                *used |= COMMAND_WAIT;
                return 0;
        case OPTION_TIMEOUT:
                request->has_timeout = true;
                *used |= COMMAND_TIMEOUT;
                if (duration_parse(&request->timeout_usec, optarg) == 0)
                        return 0;
                error_message("--timeout %s: not a duration such as 90s or 5min", optarg);
                return EX_USAGE;
        case OPTION_PROBLEMS:
                request->problems = true;
                *used |= COMMAND_PROBLEMS;
                return 0;
        case OPTION_WATCH:
                request->watch = true;
                *used |= COMMAND_WATCH;
                return 0;
        case OPTION_IGNORE_REPLICATION:
                request->ignore_replication = true;
                *used |= COMMAND_IGNORE_REPLICATION;
                return 0;
        case OPTION_DRY_RUN:
                request->dry_run = true;
                *used |= COMMAND_DRY_RUN;
                return 0;
        case OPTION_CA:
                request->ca = optarg;
                *used |= COMMAND_FILES;
                return 0;
        case OPTION_CERT:
                request->cert = optarg;
                *used |= COMMAND_CERT;
                return 0;
        case OPTION_KEY:
                request->key = optarg;
                *used |= COMMAND_FILES;
                return 0;
        default:
                error_message("binlog-sslctl --help lists the options");
                return EX_USAGE;
        }
}

static int run(const Command *command, Request *request, unsigned used)
{
        char path[PATH_MAX];

        if (used & ~command->options) {
                error_message("%s does not accept this option; see: binlog-sslctl %s --help",
                        command->name, command->name);
                return EX_USAGE;
        }
        if (request->n_names < command->minimum_names ||
                (command->maximum_names >= 0 && request->n_names > command->maximum_names)) {
                error_message("usage: binlog-sslctl %s %s", command->name, command->synopsis);
                return EX_USAGE;
        }
        if (!request->socket) {
                int r = paths_socket(path, sizeof(path));

                if (r < 0)
                        return error_message_unreachable("$RUNTIME_DIRECTORY", r);
                request->socket = path;
        }
        return command->run(request);
}

int main(int argc, char **argv)
{
        Request request = {.timeout_usec = COMMAND_TIMEOUT_USEC};
        const Command *command = NULL;
        unsigned used = 0;
        bool help = false;
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (option == OPTION_VERSION) {
                        printf("binlog-sslctl %s\n", BUILD_VERSION);
                        return EXIT_SUCCESS;
                }
                help = help || option == OPTION_HELP;
                r = option == OPTION_HELP ? 0 : parse_option(&request, &used, option);
                if (r != 0)
                        return r;
        }
        if (optind < argc) {
                command = find_command(argv[optind]);
                if (!command)
                        return EX_USAGE;
                request.names = argv + optind + 1;
                request.n_names = argc - optind - 1;
        }
        if (help) {
                print_help(command);
                return EXIT_SUCCESS;
        }
        if (command)
                return run(command, &request, used);
        error_message("a command is needed; binlog-sslctl --help lists them");
        return EX_USAGE;
}
