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
#include "daemon/identity.h"
#include "daemon/report.h"

/* SHA-256 over the DERs of CA file and certificate file; nothing of the key is in it. */
int payload_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Identity *identity);

int payload_build(Secret *ret, const Identity *identity);

/* Turns the strict form into the raw one. */
int payload_to_raw(Secret *ret, const char *strict, size_t size);

/* Where `ssl_key` begins: of the two forms in the raw one, which is the shorter. 0: not found. */
size_t payload_key_offset(const char *strict, size_t size);
