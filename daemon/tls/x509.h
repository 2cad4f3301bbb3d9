#pragma once

/*
 * X.509: facts of a certificate as text and numbers, for reports and status. Certificates are not
 * changed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "daemon/model/report.h"

/* The SHA-256 of the certificate's DER in lower-case hexadecimal. */
void x509_sha256(char ret[REPORT_FINGERPRINT_MAX], X509 *certificate);

/* A distinguished name on one clean line, "CN = x, O = y". */
void x509_name_text(char *buffer, size_t size, const X509_NAME *name);

/* Returns microseconds since the epoch, CLOCK_BEFORE_1970 before it, 0 for an invalid time. */
uint64_t x509_time_usec(const ASN1_TIME *time);

/* As clock_format_time(), also before 1970. */
const char *x509_time_text(char *buffer, const ASN1_TIME *time);

/* "rsa", "ec", or OpenSSL's name of the type. */
const char *x509_key_type_text(const EVP_PKEY *key);

/* Fills every member of `ret`. */
void x509_describe(Certificate *ret, X509 *certificate);

/* Returns true if an equal certificate is in the stack; NULL is an empty one. */
bool x509_stack_contains(const STACK_OF(X509) * stack, const X509 *certificate);
