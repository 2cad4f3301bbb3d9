#pragma once

/*
 * Certification path: verifies the client certificate as a source with REQUIRE X509 does.
 *
 * A source is a TLS server of OpenSSL: it verifies the whole path for the purpose of a TLS client,
 * at a security level. This module has OpenSSL verify the same, collects every fault instead of the
 * first one, and adds a sentence for each that names the certificate and the fault. Times have
 * rules of their own (daemon/inspect/validate.h) and are no fault here.
 *
 * The security level is that of the distributions, 2 (112 bits), and 1 (80 bits) if
 * minimum-rsa-bits is below 2048; RSA keys then have that many bits, which may be more than the
 * 1024 of the level. Each certificate of the certificate file must satisfy it, also
 * one that is not on the path: a client of OpenSSL loads no file that has a weaker one. The roots'
 * own signatures prove nothing and may be weak.
 */

#include <stdint.h>

#include <openssl/x509.h>

#include "daemon/config/config.h"
#include "daemon/inspect/pem.h"
#include "daemon/model/report.h"

/* `pem` has a chain. Returns 0, and in `ret` the path, leaf first, which the caller frees, or NULL
 * if there is none to the CA file; or -ENOMEM. */
int certification_path_verify(STACK_OF(X509) * *ret, Report *report, const Pem *pem,
        const MaterialConfig *config, uint64_t now_usec);
