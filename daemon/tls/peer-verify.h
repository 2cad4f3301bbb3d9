#pragma once

/*
 * Peer verify: verifies the server's certificate of a TLS connection that a library makes in this
 * process, within the handshake, so that nothing is sent to a server that fails.
 *
 * libmariadb's own verification is not relied on: its rules differ between versions, and
 * Connector/C 3.4 accepts certificates that 3.3 refuses (doc/aurora.md, "Connector/C"). Its
 * versions have no option in common that would leave it no tolerance, and a callback of 3.4 can be
 * overruled by the library. So OpenSSL's own hooks are used, which work without knowledge of the
 * library: CRYPTO_get_ex_new_index(3) reports each SSL object that is created,
 * SSL_set_info_callback(3) the start of its handshake, and SSL_CTX_set_cert_verify_callback(3)
 * replaces its verification. A certificate that fails ends the handshake with an alert.
 *
 * Verified are the chain to a CA that the library has loaded (of server-ca, or of the system's
 * trust store), the dates, the purpose of a TLS server, and the host
 * (daemon/tls/server-certificate.h). It also keeps the certificate for a person: libmariadb 3.3
 * cannot show it.
 *
 * State of the process: one connection at a time, for short-lived children only.
 */

#include <stdbool.h>

#include "daemon/tls/server-certificate.h"

/* Installs the hooks; later calls do nothing. -ENOTSUP: OpenSSL has no room for them. */
int peer_verify_install(void);

typedef enum PeerPolicy {
        PEER_REQUIRED, /* a peer that fails ends the handshake */
        PEER_OBSERVED, /* the handshake goes on; the result is reported only */
} PeerPolicy;

/* Verifies the connections that begin until peer_verify_end(): they must reach `host`. `ret`
 * gets the certificate of the last handshake; reasons name the trusted CAs `store`. All three are
 * lent until the end. */
void peer_verify_begin(
        ServerCertificate *ret, const char *host, const char *store, PeerPolicy policy);

/* Returns true if the last handshake since the begin has verified its peer. */
bool peer_verify_end(void);

/* Returns the error alert (RFC 8446, section 6.2) that the peer has sent in the last handshake or
 * after it, before the end; 0: none. With TLS 1.3 a server refuses the client's certificate after
 * the client's part of the handshake, and may close the connection before the library writes again:
 * that write is reported as done, so that the alert is read. */
unsigned peer_verify_alert(void);
