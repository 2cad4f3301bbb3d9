#pragma once

/*
 * Payload: the JSON document that the procedure takes (notes/aurora.md, "Payload"), and the
 * fingerprint that names the set.
 *
 * Written once, in its strict form with every line end as the two characters \n. The raw form,
 * with line feeds in the strings, is made from it at the last moment. `ssl_key` stands last, so
 * that whatever keeps only the beginning of a statement keeps nothing of the key. An RSA key is
 * always PKCS#1.
 */

#include "common/secret.h"
#include "daemon/inspect/pem.h"
#include "daemon/model/report.h"

/* SHA-256 over the DERs of CA file and certificate file; nothing of the key is in it. */
int payload_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const PemSet *pem);

int payload_build(Secret *ret, const PemSet *pem);
