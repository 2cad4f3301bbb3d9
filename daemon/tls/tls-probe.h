#pragma once

/*
 * TLS probe: gets a server's certificate by a TLS handshake of its own, without a login.
 *
 * libmariadb 3.3 verifies the peer's certificate and cannot show it (doc/aurora.md, "Connector/C");
 * a failed verification, where an operator needs it most, is one short text. The probe is one more
 * connection up to TLS: it reads the greeting, sends the TLS request and does the handshake. It
 * never sends a user, a password or anything else of the protocol. Data from the peer is displayed,
 * never trusted (daemon/tls/server-certificate.h).
 *
 * Cost: the server counts a connection that ended before its login. That is one in
 * Aborted_connects, at some log levels a note in the error log, and where the server caches the
 * client's host one towards max_connect_errors, which counts consecutive ones: a login that
 * succeeds resets it (MySQL manual, "DNS Lookups and the Host Cache"). Only --check-clusters
 * probes, no import.
 *
 * TLS 1.2 or 1.3, the same trust and no server name in the hello, as libmariadb 3.3 does; 3.4 sends
 * the name (doc/aurora.md, "Debian 13 and MySQL 9.7"). Bounded in time and in bytes
 * (daemon/tls/tcp-stream.h). Blocks: for short-lived children only.
 */

#include <stdint.h>

#include "daemon/tls/server-certificate.h"

#define TLS_PROBE_BYTES_MAX (256 * 1024) /* received; OpenSSL accepts 100 KB of chain */

typedef struct TlsProbeTarget {
        const char *host;    /* that the certificate must name */
        const char *address; /* to connect to; "": every address of host, in order */
        unsigned port;
        const char *server_ca;  /* "": the system's trust store */
        uint64_t deadline_usec; /* CLOCK_BOOTTIME */
} TlsProbeTarget;

/* `ret` must be zeroed. Sets its result, and its facts if a certificate was received. */
void tls_probe_run(ServerCertificate *ret, const TlsProbeTarget *target);
