#pragma once

/*
 * Knock: asks a server for its certificate, and leaves.
 *
 * libmariadb 3.3 verifies the peer's certificate and has no way to show it, least of all when it
 * does not verify, which is when a person needs to see it: then all it says is that something was
 * wrong. So this is one more connection, of our own, up to TLS and no further: the greeting is read,
 * the request for TLS sent, and the handshake done. No user, no password and nothing else of the
 * protocol is ever sent on it; what the server says is believed by nobody, only shown
 * (daemon/tls/server-certificate.h).
 *
 * What it costs: the server counts a connection that broke off before its login. It is one in
 * Aborted_connects, at some log levels a note in the error log, and where the server knows the
 * client by its host cache one towards max_connect_errors, which counts only those in a row: a
 * login that succeeds takes it back to none (MySQL manual, "DNS Lookups and the Host Cache"). That
 * is worth it where a person asks what is wrong; no import does it.
 *
 * TLS 1.2 or 1.3, the same trust, and no server name in the hello, all as libmariadb does.
 * Bounded in time and in bytes (daemon/tls/tcp-stream.h). Blocks, so it is for short-lived children only.
 */

#include <stdint.h>

#include "daemon/tls/server-certificate.h"

#define TLS_PROBE_BYTES_MAX \
        (256 * 1024) /* that the server may send; OpenSSL takes 100 KB of chain */

typedef struct TlsProbeTarget {
        const char *host;    /* for which the certificate must be */
        const char *address; /* where to connect to; "": to all that host leads to, in order */
        unsigned port;
        const char *server_ca;  /* "": the system's trust store */
        uint64_t deadline_usec; /* CLOCK_BOOTTIME */
} TlsProbeTarget;

/* `ret` is zeroed, and has a verdict afterwards. */
void tls_probe_run(ServerCertificate *ret, const TlsProbeTarget *target);
