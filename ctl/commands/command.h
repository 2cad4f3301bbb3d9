#pragma once

/*
 * Command: describes a command of binlog-sslctl: name, help, accepted options, and the function
 * that runs it with the parsed command line and returns the exit status (binlog-sslctl(1)).
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct Request {
        const char *socket;
        bool json, force, wait, problems, watch, ignore_replication, dry_run;
        const char *ca, *cert, *key; /* NULL: absent */
        uint64_t timeout_usec;
        bool has_timeout;
        char *const *names; /* the arguments after the command */
        int n_names;
} Request;

/* The options that a command accepts besides --socket and --json. */
enum {
        COMMAND_FORCE = 1 << 0,
        COMMAND_WAIT = 1 << 1,
        COMMAND_TIMEOUT = 1 << 2,
        COMMAND_CERT = 1 << 3,
        COMMAND_FILES = 1 << 4, /* --ca and --key */
        COMMAND_PROBLEMS = 1 << 5,
        COMMAND_IGNORE_REPLICATION = 1 << 6,
        COMMAND_DRY_RUN = 1 << 7,
        COMMAND_WATCH = 1 << 8,
};

typedef struct Command {
        const char *name;
        const char *synopsis; /* after the name */
        const char *summary;  /* one line */
        const char *help;     /* each line is a paragraph, or "  --option  its meaning" */
        unsigned options;
        int minimum_names, maximum_names; /* -1: any number */
        int (*run)(const Request *request);
} Command;

#define COMMAND_TIMEOUT_USEC (5 * 60 * UINT64_C(1000000))

/* Each in the file of its name. */
extern const Command command_status;
extern const Command command_history;
extern const Command command_explain;
extern const Command command_check;
extern const Command command_check_clusters;
extern const Command command_import;
extern const Command command_remove;
extern const Command command_wait;
extern const Command command_monitor;
extern const Command command_metrics;
extern const Command command_reload;
extern const Command command_nagios;
