#pragma once

/*
 * Command: what each command of binlog-sslctl is: its words, its options, and the function that is
 * run with what stood on the command line. Exit statuses: binlog-sslctl(1).
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct Request {
        const char *socket;
        bool json, force, wait;
        const char *ca, *cert, *key; /* NULL: not given */
        uint64_t timeout_usec;
        bool has_timeout;
        char *const *names; /* the arguments after the command */
        int n_names;
} Request;

/* Which options a command takes besides --socket and --json. */
enum {
        COMMAND_FORCE = 1 << 0,
        COMMAND_WAIT = 1 << 1,
        COMMAND_TIMEOUT = 1 << 2,
        COMMAND_CERT = 1 << 3,
        COMMAND_FILES = 1 << 4, /* --ca and --key */
};

typedef struct Command {
        const char *name;
        const char *synopsis; /* after the name */
        const char *summary;  /* one line */
        const char *help;     /* a line is a paragraph, or "  --option  what it does" */
        unsigned options;
        int minimum_names, maximum_names; /* -1: any number */
        int (*run)(const Request *request);
} Command;

#define COMMAND_TIMEOUT_USEC (5 * 60 * UINT64_C(1000000))

/* One file each. */
extern const Command command_status;
extern const Command command_explain;
extern const Command command_check;
extern const Command command_import;
extern const Command command_wait;
extern const Command command_monitor;
extern const Command command_metrics;
extern const Command command_reload;
