#pragma once

/*
 * Server certificate: the certificate that a server sent, as a value without pointers, and the
 * result of its verification.
 *
 * All facts are the peer's own statements; only CERTIFICATE_VERIFIED makes them reliable: a CA of
 * server-ca, or of the system's trust store, issued the certificate, and host is one of its names.
 * An address matches only an address, X509_check_ip_asc(3); a name matches as in RFC 6125 with
 * wildcards for a whole label, X509_check_host(3). The subject's common name counts only where
 * there is no DNS name.
 *
 * Every other result is an expected one. It has a sentence that includes OpenSSL's reason,
 * X509_STORE_CTX_get_error(3), and where possible a next step.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/outcome.h"
#include "daemon/model/report.h"

#define SERVER_CERTIFICATE_TRUST_STORE "the system's trust store"

#define SERVER_CERTIFICATE_NAMES_MAX 8
#define SERVER_CERTIFICATE_NAME_MAX  256

typedef struct x509_st X509; /* OpenSSL's; a reader of the value needs no OpenSSL header */

typedef enum CertificateResult {
        CERTIFICATE_NOT_SHOWN, /* none was received */
        CERTIFICATE_VERIFIED,  /* from here on, all facts are known */
        CERTIFICATE_UNTRUSTED,
        CERTIFICATE_EXPIRED,
        CERTIFICATE_NOT_YET_VALID,
        CERTIFICATE_OTHER_HOST,
        CERTIFICATE_OTHER_PURPOSE,
        CERTIFICATE_REFUSED, /* for another reason of OpenSSL */
        _CERTIFICATE_RESULT_MAX,
} CertificateResult;

/* The first error of OpenSSL's verification. */
typedef struct CertificateError {
        int code;       /* X509_V_ERR_*; 0: none */
        int depth;      /* of the certificate in its chain; 0: the server's own */
        bool same_name; /* a trusted CA has the issuer's name and another key */
        Certificate certificate;
} CertificateError;

typedef struct ServerCertificate {
        CertificateResult result;
        char reason[OUTCOME_TEXT_MAX]; /* one sentence; "" when verified */
        char subject[REPORT_NAME_MAX];
        char issuer[REPORT_NAME_MAX];
        char authority[REPORT_NAME_MAX]; /* the CA that is unknown or expired; "": no CA is */
        char names[SERVER_CERTIFICATE_NAMES_MAX]
                  [SERVER_CERTIFICATE_NAME_MAX]; /* DNS names, then addresses */
        unsigned n_names; /* all of them; only SERVER_CERTIFICATE_NAMES_MAX are kept */
        unsigned chain_length;
        uint64_t not_before_usec, not_after_usec; /* wall clock */
} ServerCertificate;

/* Returns true if a received value is one: each text and enumerator. Pure. */
bool server_certificate_is_valid(const ServerCertificate *certificate);

static inline bool server_certificate_is_known(const ServerCertificate *certificate)
{
        return certificate->result >= CERTIFICATE_VERIFIED;
}

/* `certificate` may be NULL: OpenSSL does not always name one. */
void server_certificate_set_error(CertificateError *ret, int code, int depth, X509 *certificate);

/* Sets all facts and the result. `store` names the trusted CAs in a sentence. */
void server_certificate_evaluate(ServerCertificate *certificate, X509 *leaf,
        const CertificateError *error, const char *host, const char *store);

/* "a, b and 3 more". Returns `buffer`. */
const char *server_certificate_names(
        char *buffer, size_t size, const ServerCertificate *certificate);

/* The next step of an operator; "" if none is needed or known. */
void server_certificate_advise(
        char *buffer, size_t size, const ServerCertificate *certificate, const char *server_ca);
