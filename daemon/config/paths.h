#pragma once

/*
 * Paths: the directories that systemd passes to a service in the environment (systemd.exec(5),
 * RuntimeDirectory=), or their defaults, and the files of the project in them.
 *
 * systemd separates several directories by a colon; the first one is used. Every function returns
 * -ENAMETOOLONG if the path does not fit in `size` bytes.
 */

#include <stddef.h>

typedef enum PathsDirectory {
        PATHS_DIRECTORY_CONFIGURATION,
        PATHS_DIRECTORY_STATE,
        PATHS_DIRECTORY_RUNTIME,
        PATHS_DIRECTORY_CREDENTIALS, /* no default: "" when the service has none */
        _PATHS_DIRECTORY_MAX,
} PathsDirectory;

int paths_directory(char *buffer, size_t size, PathsDirectory directory);

int paths_config_file(char *buffer, size_t size);

/* The record of one cluster; `name` is its name in the configuration, which contains no slash. */
int paths_record(char *buffer, size_t size, const char *name);

/* The rollout of one material, likewise. */
int paths_rollout(char *buffer, size_t size, const char *name);

/* The Varlink socket, and its file name, which is also its name in the registry of Varlink. */
#define PATHS_SOCKET_NAME "io.binlogssl.Manager"
int paths_socket(char *buffer, size_t size);
