#pragma once

/*
 * Payload: builds the JSON document that the import procedure takes (doc/aurora.md, "Payload") and
 * the fingerprint that names the set.
 *
 * The document is built in its strict form, with every line end as the two characters \n; the raw
 * form, with line feeds in the strings, is made from it before the CALL (daemon/import/call.h).
 * `ssl_key` stands last, so that a log that keeps only the beginning of a statement keeps nothing
 * of the key. An RSA key is always PKCS#1.
 */

#include "common/secret.h"
#include "daemon/inspect/pem.h"
#include "daemon/model/report.h"

/* SHA-256 over the DER of every certificate of both files. The key is not part of it. */
int payload_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Pem *pem);

int payload_build(Secret *ret, const Pem *pem);
