#pragma once

/*
 * Login: reads a cluster's password and opens a session with it.
 *
 * The password, or token, is read for each login: one line in a file, in a credential of systemd or
 * on the output of a command; its line end is not part of it. An error of the password never quotes
 * any of it.
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

/* A command is killed after `timeout_usec`. Returns false if there is no password; `reason` then
 * names the file, or the first word of the command, and the error. */
bool login_read_password(Secret *ret, char *reason, size_t reason_size,
        const ClusterConfig *cluster, uint64_t timeout_usec);

/* Returns the deadline of a session that began at `start_usec`: a little before the timeout, so
 * that the process reports "timed out" before it is killed. */
uint64_t login_deadline_usec(uint64_t start_usec, uint64_t timeout_usec);

/* Reads the password and opens the session. Returns false with the reason in `outcome` on failure.
 * When the server refuses the password, it is read once more, and the login is repeated if it has
 * changed or came from a command. `redactor` covers every password that was sent, `ret_certificate` is
 * what the server showed in the last login. */
bool login_open(Session **ret, Outcome *outcome, ServerCertificate *ret_certificate,
        const ClusterConfig *cluster, uint64_t deadline_usec, Redactor *redactor);
