#pragma once

/*
 * Presented: the certificate that a server has shown, as a value without pointers, and whether it
 * is one to trust.
 *
 * All of it is what the server says of itself; only CERTIFICATE_VERIFIED makes it true: an authority
 * of server-ca, or of the system's trust store, stands behind it, and host is one of its names. A
 * name counts as it does for libmariadb 3.3, which asks X509_check_host(3) without flags and then
 * X509_check_ip_asc(3): the subject's common name is one where no other DNS name is given.
 *
 * Verdicts other than that are expected bad news. Each comes with a sentence that has OpenSSL's own
 * reason in it, X509_STORE_CTX_get_error(3), and with advice.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/outcome.h"
#include "daemon/model/report.h"

#define SERVER_CERTIFICATE_NAMES_MAX 8
#define SERVER_CERTIFICATE_NAME_MAX  256

typedef struct x509_st X509; /* OpenSSL's; who reads the value does not need to know it */

typedef enum CertificateResult {
        CERTIFICATE_NOT_REQUESTED,
        CERTIFICATE_NOT_SHOWN, /* asked for, and none was shown */
        CERTIFICATE_NO_TLS,    /* nor can it be: the server does not offer TLS 1.2 or 1.3 */
        CERTIFICATE_VERIFIED,  /* from here on, all facts are known */
        CERTIFICATE_UNTRUSTED,
        CERTIFICATE_EXPIRED,
        CERTIFICATE_NOT_YET_VALID,
        CERTIFICATE_OTHER_HOST,
        CERTIFICATE_OTHER_PURPOSE,
        CERTIFICATE_REFUSED, /* for a reason that only OpenSSL has a word for */
        _CERTIFICATE_RESULT_MAX,
} CertificateResult;

/* What OpenSSL stumbled over first. */
typedef struct CertificateError {
        int code;      /* X509_V_ERR_*; 0: none */
        int depth;     /* of the certificate in its chain; 0: the server's own */
        bool namesake; /* an authority is trusted that only has the issuer's name */
        char subject[REPORT_NAME_MAX];
        char issuer[REPORT_NAME_MAX];
        uint64_t not_before_usec, not_after_usec;
} CertificateError;

typedef struct ServerCertificate {
        CertificateResult verdict;
        char reason[OUTCOME_TEXT_MAX]; /* one sentence; "" when verified */
        char address[64];              /* of the server, numeric; "": there was no connection */
        char subject[REPORT_NAME_MAX];
        char issuer[REPORT_NAME_MAX];
        char authority[REPORT_NAME_MAX]; /* the one that is unknown or expired; "": it is none */
        char names[SERVER_CERTIFICATE_NAMES_MAX]
                  [SERVER_CERTIFICATE_NAME_MAX]; /* DNS names, then addresses */
        unsigned n_names; /* that it has; those beyond SERVER_CERTIFICATE_NAMES_MAX are not kept */
        unsigned chain_length;
        uint64_t not_before_usec, not_after_usec; /* wall clock */
} ServerCertificate;

static inline bool server_certificate_is_known(const ServerCertificate *server_certificate)
{
        return server_certificate->verdict >= CERTIFICATE_VERIFIED;
}

/* `certificate` may be NULL: OpenSSL does not always say which. */
void server_certificate_set_error(CertificateError *ret, int code, int depth, X509 *certificate);

/* All facts and the verdict. `server_ca` "" is the system's trust store. */
void server_certificate_evaluate(ServerCertificate *server_certificate, X509 *leaf,
        const CertificateError *error, const char *host, const char *server_ca);

/* "a, b and 3 more". Returns `buffer`. */
const char *server_certificate_names(
        char *buffer, size_t size, const ServerCertificate *server_certificate);

/* What a person can do; "" when nothing is to do, or nobody knows. */
void server_certificate_advise(char *buffer, size_t size,
        const ServerCertificate *server_certificate, const char *server_ca);
