#pragma once

/*
 * Client identity: the files of a set for a library that reads certificate and key by name.
 *
 * libmariadb has no option for a key in memory. A memfd has a name below /proc/self/fd, which only
 * this process can open: nothing is written to a disk. The files are overwritten before they are
 * closed; what libmariadb and stdio copied while they read them ends with the process, so this is
 * for short-lived children only.
 */

#include "common/secret.h"
#include "daemon/config/config.h"

#define CLIENT_IDENTITY_PATH_MAX 40

typedef struct ClientIdentity {
        int fd[_MATERIAL_FILE_MAX];
        char path[_MATERIAL_FILE_MAX][CLIENT_IDENTITY_PATH_MAX];
} ClientIdentity;

#define CLIENT_IDENTITY_NULL ((ClientIdentity){.fd = {-1, -1, -1}})

/* `pem`: the text of each file. A negative errno: nothing is left. */
int client_identity_create(ClientIdentity *ret, const Secret pem[static _MATERIAL_FILE_MAX]);

/* Overwrites and closes. May be called twice. */
void client_identity_done(ClientIdentity *identity);
