#pragma once

/*
 * Login: reads a cluster's password, for each login anew, and opens a session with it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/redact.h"
#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

/* Returns the deadline of a session that began at `start_usec`: a little before the timeout, so
 * that the process reports "timed out" before it is killed. */
uint64_t login_deadline_usec(uint64_t start_usec, uint64_t timeout_usec);

/* Reads the password and opens the session. Returns false with the reason in `outcome` on
 * failure. When the server refuses the password, it is read once more, and the login is repeated
 * if it has changed or came from a command. `redactor` covers every password that was sent,
 * `ret_certificate` is what the server showed in the last login. */
bool login_open(Session **ret, Outcome *outcome, ServerCertificate *ret_certificate,
        const ClusterConfig *cluster, uint64_t deadline_usec, Redactor *redactor);
