#pragma once

/*
 * Source verdict: where the replication source is, and what its reply to the probe means for the
 * import. Pure.
 *
 * Refused is a TLS alert about the client's certificate, which with TLS 1.3 follows the handshake,
 * and an error of the server about the account of the replica. Everything else that is no login is
 * no proof against the set: no answer, a source with too many connections, a host that it does not
 * know. Aurora does not verify the source (doc/aurora.md, "After the import"), so a certificate of
 * the source that does not verify is a warning.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/source/source-login.h"

/* Sets host, port and user: each from the configuration, else from the replica's status. `ret`
 * lends their texts; a `user` of "" is not known. Returns false if there is no host; `reason` then
 * says why. `status_error`: why the status is not known. */
bool source_verdict_locate(LoginConfig *ret, char *reason, size_t reason_size,
        const ClusterConfig *cluster, const Replication *replication,
        const ReplicationSource *replica, const char *status_error);

/* Returns true if the import may go on. What was not tested is then a warning. */
bool source_verdict_judge(
        Outcome *ret, const SourceReply *reply, const LoginConfig *source, SourceProbe mode);

/* The source was not asked or did not answer, for this reason; `advice` is what a person can do.
 * Returns true if the import may go on, with a warning. */
bool source_verdict_set_unknown(
        Outcome *ret, const char *reason, const char *advice, SourceProbe mode);

/* The advice where this host does not reach the source. */
#define SOURCE_VERDICT_UNREACHED "source-host can name an address that this host reaches"
