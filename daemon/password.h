#pragma once

/*
 * Password: reads one password or token, afresh for one connection.
 *
 * It is one line in a file, in a credential of systemd or on the output of a command; a line end
 * behind it is not part of it. Whatever can be wrong with it is said without repeating any of it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"
#include "daemon/config.h"

#define PASSWORD_MAX (64 * 1024) /* bytes; a token of IAM has one to two thousand */

/* `timeout_usec` is what a command may take before it is killed. False: there is no password, and
 * `reason` names the file, or the first word of the command, and what is wrong with it. */
bool password_read(Secret *ret, char *reason, size_t reason_size, const ClusterConfig *cluster,
        uint64_t timeout_usec);
