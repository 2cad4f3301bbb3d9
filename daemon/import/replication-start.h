#pragma once

/*
 * Replication start: starts replication that was stopped for an import, and verifies that it runs:
 * both threads, for a moment, with TLS, and with a lag that the server knows.
 */

#include "daemon/import/attempt.h"

/* Starts replication. After a successful import also waits until it is verified, or a person has
 * stopped it, which is a warning: both end ImportEffect.restart_due. Otherwise that is the outcome.
 * A failed import stays the outcome; its text also has an error of the start. */
void replication_start_run(Attempt *attempt);

/* Starts a replica that a stop on record has left stopped, and that nobody has started since.
 * Without a set, and without the wait. */
void replication_start_resume(Attempt *attempt);
