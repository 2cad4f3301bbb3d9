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

/* SHA-256 over the DER of every certificate of both files, each once: of the CA file by length and
 * bytes, because a source trusts all its CAs alike, and of the certificate file in the order in
 * which they are sent. The key is not part of it. */
int payload_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Pem *pem);

/* The same in the order of the files, with what they repeat: in records and ledgers of versions
 * that had this one alone. */
int payload_legacy_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Pem *pem);

int payload_build(Secret *ret, const Pem *pem);
