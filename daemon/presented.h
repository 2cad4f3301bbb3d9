#pragma once

/*
 * Presented: the certificate that a server has shown, as a value without pointers, and whether it
 * is one to trust.
 *
 * All of it is what the server says of itself; only PRESENTED_VERIFIED makes it true: an authority
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

#include "daemon/outcome.h"
#include "daemon/report.h"

#define PRESENTED_NAMES_MAX 8
#define PRESENTED_NAME_MAX  256

typedef struct x509_st X509; /* OpenSSL's; who reads the value does not need to know it */

typedef enum PresentedVerdict {
        PRESENTED_UNASKED,
        PRESENTED_UNSEEN,   /* asked for, and none was shown */
        PRESENTED_NO_TLS,   /* nor can it be: the server does not offer TLS 1.2 or 1.3 */
        PRESENTED_VERIFIED, /* from here on, all facts are known */
        PRESENTED_UNTRUSTED,
        PRESENTED_EXPIRED,
        PRESENTED_NOT_YET_VALID,
        PRESENTED_OTHER_HOST,
        PRESENTED_OTHER_PURPOSE,
        PRESENTED_REFUSED, /* for a reason that only OpenSSL has a word for */
        _PRESENTED_VERDICT_MAX,
} PresentedVerdict;

/* What OpenSSL stumbled over first. */
typedef struct PresentedFault {
        int error;     /* X509_V_ERR_*; 0: over nothing */
        int depth;     /* of the certificate in its chain; 0: the server's own */
        bool namesake; /* an authority is trusted that only has the issuer's name */
        char subject[REPORT_NAME_MAX];
        char issuer[REPORT_NAME_MAX];
        uint64_t not_before_usec, not_after_usec;
} PresentedFault;

typedef struct Presented {
        PresentedVerdict verdict;
        char reason[OUTCOME_TEXT_MAX]; /* one sentence; "" when verified */
        char address[64];              /* of the server, numeric; "": there was no connection */
        char subject[REPORT_NAME_MAX];
        char issuer[REPORT_NAME_MAX];
        char authority[REPORT_NAME_MAX]; /* the one that is unknown or expired; "": it is none */
        char names[PRESENTED_NAMES_MAX][PRESENTED_NAME_MAX]; /* DNS names, then addresses */
        unsigned n_names; /* that it has; those beyond PRESENTED_NAMES_MAX are not kept */
        unsigned chain_length;
        uint64_t not_before_usec, not_after_usec; /* wall clock */
} Presented;

static inline bool presented_is_seen(const Presented *presented)
{
        return presented->verdict >= PRESENTED_VERIFIED;
}

/* `certificate` may be NULL: OpenSSL does not always say which. */
void presented_take_fault(PresentedFault *ret, int error, int depth, X509 *certificate);

/* All facts and the verdict. `server_ca` "" is the system's trust store. */
void presented_take(Presented *presented, X509 *leaf, const PresentedFault *fault, const char *host,
        const char *server_ca);

/* "a, b and 3 more". Returns `buffer`. */
const char *presented_names(char *buffer, size_t size, const Presented *presented);

/* What a person can do; "" when nothing is to do, or nobody knows. */
void presented_advise(char *buffer, size_t size, const Presented *presented, const char *server_ca);
