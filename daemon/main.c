#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <systemd/sd-daemon.h>

#include "build.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/config/config-load.h"
#include "daemon/config/paths.h"
#include "daemon/inspect/inspector.h"
#include "daemon/manager/manager.h"
#include "daemon/mysql/session.h"
#include "daemon/probe/check-clusters.h"
#include "daemon/status/journal.h"
#include "daemon/varlink/server.h"

typedef enum Mode {
        MODE_SERVICE,
        MODE_ONCE,
        MODE_CHECK,
        MODE_CHECK_CLUSTERS,
} Mode;

typedef struct Options {
        const char *path; /* of the configuration; NULL: the default */
        int mode;         /* Mode; this and `json` are flags of getopt_long(3) */
        int json;
        char *const *clusters; /* with MODE_CHECK_CLUSTERS; none: all */
        int n_clusters;
} Options;

static void print_help(void)
{
        printf("binlog-ssld [OPTION...]\n\n"
               "Watches rotated TLS material and imports it into Aurora MySQL clusters.\n\n"
               "      --config FILE  read FILE and FILE.d/*.conf instead of\n"
               "                     $CONFIGURATION_DIRECTORY/binlog-ssld.conf\n"
               "      --check        check configuration and material; exit 0 if all is usable,\n"
               "                     1 if a material is not\n"
               "      --check-clusters [CLUSTER...]\n"
               "                     log in to every cluster, or to those named, send no key, and\n"
               "                     print whether an import would work; exit 0 if it would\n"
               "                     everywhere, else 1\n"
               "      --json         with --check-clusters: print a JSON document\n"
               "      --once         import where it is needed; exit 0 if all clusters are\n"
               "                     current, else 1\n"
               "      --version      print the version\n"
               "      --help         print this text\n\n"
               "A configuration that cannot be used: exit 78 with each of them.\n");
}

/* Inspects each material in this process, which ends soon and so needs no child for the key. */
static int check_materials(const Config *config)
{
        bool good = true;

        for (size_t i = 0; i < config->n_materials; i++) {
                const MaterialConfig *material = &config->materials[i];
                InspectorTask task = {
                        .config = material, .payload_fd = -1, .now_usec = clock_wall_usec()};
                Report *report = calloc(1, sizeof(*report));
                int r = report ? inspector_run(report, &task) : -ENOMEM;

                if (r < 0)
                        fprintf(stderr, "material %s: %s\n", material->name, strerror(-r));
                else
                        printf("material %s: %s\n", material->name,
                                report->files_changed    ? "changes while it is read"
                                        : report->failed ? "not usable"
                                                         : "good");
                for (unsigned k = 0; r == 0 && k < report->n_problems; k++)
                        printf("  %s: %s: %s\n", severity_to_string(report->problems[k].severity),
                                rule_to_string(report->problems[k].rule), report->problems[k].text);
                good = good && r == 0 && !report->failed && !report->files_changed;
                free(report);
        }
        for (size_t i = 0; i < config->n_clusters; i++)
                if (config->clusters[i].twin)
                        printf("cluster %s: warning: cluster %s has the same host and port\n",
                                config->clusters[i].name, config->clusters[i].twin);
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* sd_event_add_child(3) requires SIGCHLD to be blocked before the first child is started. */
static int prepare_children(void)
{
        sigset_t children;

        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &children, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
        return session_prepare();
}

/* Reports a failure of a start to the journal, and in `reason` for the clients of the socket. */
static int fail(char reason[static CONFIG_PROBLEM_SIZE], const char *what, int error)
{
        journal_failure(what, error);
        text_format(reason, CONFIG_PROBLEM_SIZE, "%s: %s", what, strerror(abs(error)));
        return EXIT_FAILURE;
}

static int run_manager(
        Config *config, const Options *options, char reason[static CONFIG_PROBLEM_SIZE])
{
        CLEANUP(manager_freep) Manager *manager = NULL;
        ManagerOptions manager_options = {.version = BUILD_VERSION,
                .config_path = options->path,
                .once = options->mode == MODE_ONCE};
        int r = prepare_children();

        if (r < 0)
                config_unref(config);
        else
                r = manager_new(&manager, config, &manager_options);
        if (r < 0)
                return fail(reason, "cannot start", r);
        return manager_run(manager) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_mode(Options *options, char reason[static CONFIG_PROBLEM_SIZE])
{
        char path[PATH_MAX];
        ConfigProblem problem;
        Config *config = NULL;
        int r;

        if (!options->path) {
                r = paths_config_file(path, sizeof(path));
                if (r < 0) {
                        (void)fail(reason, "$CONFIGURATION_DIRECTORY", r);
                        return EX_CONFIG;
                }
                options->path = path;
        }
        r = config_load(&config, options->path, &problem);
        if (r == -EINVAL) {
                journal_configuration_invalid(&problem);
                config_problem_format(reason, &problem);
                return EX_CONFIG;
        }
        if (r < 0)
                return fail(reason, options->path, r);
        if (options->mode == MODE_SERVICE || options->mode == MODE_ONCE)
                return run_manager(config, options, reason);
        if (options->mode == MODE_CHECK)
                r = check_materials(config);
        else {
                r = prepare_children();
                r = r < 0 ? fail(reason, "cannot check the clusters", r)
                          : check_clusters(
                                    config, options->clusters, options->n_clusters, options->json);
        }
        config_unref(config);
        return r;
}

int main(int argc, char **argv)
{
        enum {
                OPTION_CONFIG = 256,
                OPTION_VERSION,
                OPTION_HELP,
        };
        Options options = {.mode = MODE_SERVICE};
        const struct option long_options[] = {
                {"config", required_argument, NULL, OPTION_CONFIG},
                {"check", no_argument, &options.mode, MODE_CHECK},
                {"check-clusters", no_argument, &options.mode, MODE_CHECK_CLUSTERS},
                {"json", no_argument, &options.json, true},
                {"once", no_argument, &options.mode, MODE_ONCE},
                {"version", no_argument, NULL, OPTION_VERSION},
                {"help", no_argument, NULL, OPTION_HELP},
                {0},
        };
        char reason[CONFIG_PROBLEM_SIZE] = "it has failed; see: journalctl -u binlog-ssld";
        int option, status;

        session_scrub_environment();
        log_open();
        while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
                switch (option) {
                case 0: /* a flag */
                        break;
                case OPTION_CONFIG:
                        options.path = optarg;
                        break;
                case OPTION_VERSION:
                        printf("binlog-ssld %s\n", BUILD_VERSION);
                        return EXIT_SUCCESS;
                case OPTION_HELP:
                        print_help();
                        return EXIT_SUCCESS;
                default:
                        return EX_USAGE;
                }
        if (options.mode == MODE_CHECK_CLUSTERS) {
                options.clusters = argv + optind;
                options.n_clusters = argc - optind;
        } else if (optind < argc) {
                fprintf(stderr, "binlog-ssld: unexpected argument: %s\n", argv[optind]);
                return EX_USAGE;
        }
        if (options.json && options.mode != MODE_CHECK_CLUSTERS) {
                fprintf(stderr, "binlog-ssld: --json requires --check-clusters\n");
                return EX_USAGE;
        }
        if (options.mode == MODE_CHECK || options.mode == MODE_CHECK_CLUSTERS)
                log_set_plain();
        status = run_mode(&options, reason);
        if (options.mode == MODE_SERVICE && status != EXIT_SUCCESS) {
                (void)sd_notifyf(0, "STATUS=not started: %s", reason);
                server_refuse(reason);
        }
        return status;
}
