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

#include "common/redact.h"
#include "common/secret.h"
#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

#define LOGIN_PASSWORD_MAX (64 * 1024) /* bytes; a token of IAM has one to two thousand */

/* `timeout_usec` is what a command may take before it is killed. False: there is no password, and
 * `reason` names the file, or the first word of the command, and what is wrong with it. */
bool login_read_password(Secret *ret, char *reason, size_t reason_size,
        const ClusterConfig *cluster, uint64_t timeout_usec);

/* When a conversation that began at `start_usec` has to end: a little before the timeout, for to say
 * "timed out" is better than to be killed. */
uint64_t login_deadline_usec(uint64_t start_usec, uint64_t timeout_usec);

/* The first half of it, for whoever only wants to look: the password and the session. False: there
 * is none, and `outcome` says why. When the server refuses the password, it is read again at once, once,
 * and the login is repeated if it has changed meanwhile, or came out of a command. `password` covers from here on what a server repeats of it. */
bool login_open(Session **ret, Outcome *outcome, const ClusterConfig *cluster,
        uint64_t deadline_usec, Redactor *password);
