#pragma once

/*
 * TLS library: initialises OpenSSL once, before the first fork.
 *
 * OpenSSL keeps what it has fetched (algorithms, openssl.cnf), so that no child repeats it, and
 * reseeds the random numbers of a child (RAND_DRBG(7), "Fork-safety").
 *
 * An initialisation that lacks memory must end the process. OpenSSL 3.0 ignores most such failures,
 * goes on without the algorithm, and never tries again: every inspector would refuse a good set
 * ("found sha256WithRSAEncryption"). So its allocations are watched.
 */

/* Fetches every cipher and digest that a handshake can use. -ENOMEM. -EALREADY: OpenSSL was used
 * before. */
int tls_library_prepare(void);

/* -ENOMEM: an allocation of OpenSSL has failed since tls_library_prepare(). */
int tls_library_error(void);
