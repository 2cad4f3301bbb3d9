#include "daemon/presented.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/identity.h"

#define TRUST_STORE "the system's trust store"

static void add_name(Presented *presented, const char *name, size_t length)
{
        if (presented->n_names < PRESENTED_NAMES_MAX)
                text_copy(presented->names[presented->n_names], PRESENTED_NAME_MAX, name, length);
        presented->n_names++;
}

static void add_string(Presented *presented, const ASN1_STRING *string)
{
        add_name(presented, (const char *)ASN1_STRING_get0_data(string),
                (size_t)ASN1_STRING_length(string));
}

static void add_address(Presented *presented, const ASN1_STRING *bytes)
{
        int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
        char text[INET6_ADDRSTRLEN];

        if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16)
                return;
        if (inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof(text)))
                add_name(presented, text, strlen(text));
}

static void add_common_names(Presented *presented, const X509_NAME *subject)
{
        int i = -1;

        while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0)
                add_string(presented, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
}

/* RFC 5280, 4.2.1.6. */
static void take_names(Presented *presented, X509 *leaf)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

                if (name->type == GEN_DNS)
                        add_string(presented, name->d.dNSName);
        }
        if (presented->n_names == 0)
                add_common_names(presented, X509_get_subject_name(leaf));
        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

                if (name->type == GEN_IPADD)
                        add_address(presented, name->d.iPAddress);
        }
        GENERAL_NAMES_free(names);
}

static bool is_for(X509 *leaf, const char *host)
{
        return X509_check_host(leaf, host, 0, 0, NULL) == 1 ||
                X509_check_ip_asc(leaf, host, 0) == 1;
}

static PresentedVerdict verdict_of(const PresentedFault *fault)
{
        switch (fault->error) {
        case X509_V_OK:
                return PRESENTED_VERIFIED;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
                return PRESENTED_UNTRUSTED;
        case X509_V_ERR_CERT_HAS_EXPIRED:
                return PRESENTED_EXPIRED;
        case X509_V_ERR_CERT_NOT_YET_VALID:
                return PRESENTED_NOT_YET_VALID;
        case X509_V_ERR_INVALID_PURPOSE:
                return fault->depth == 0 ? PRESENTED_OTHER_PURPOSE : PRESENTED_REFUSED;
        default:
                return PRESENTED_REFUSED;
        }
}

static void tell_untrusted(Presented *presented, const PresentedFault *fault, const char *store)
{
        const char *why = X509_verify_cert_error_string(fault->error);

        text_set(presented->authority, sizeof(presented->authority), fault->issuer);
        if (fault->namesake)
                text_format(presented->reason, sizeof(presented->reason),
                        "%s: %s has an authority named %s, but another of that name signed", why,
                        store, fault->issuer);
        else if (fault->error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
                text_format(presented->reason, sizeof(presented->reason),
                        "%s: the certificate is its own issuer %s, and not in %s", why,
                        fault->issuer, store);
        else
                text_format(presented->reason, sizeof(presented->reason),
                        "%s: the issuer %s is not in %s", why, fault->issuer, store);
}

static void tell(Presented *presented, const PresentedFault *fault, const char *server_ca)
{
        const char *why = X509_verify_cert_error_string(fault->error);
        char time[CLOCK_TEXT_SIZE], who[REPORT_NAME_MAX + 16];

        text_format(who, sizeof(who), "%s %s",
                fault->depth > 0 ? "the authority" : "the certificate", fault->subject);
        switch (presented->verdict) {
        case PRESENTED_UNTRUSTED:
                tell_untrusted(presented, fault, server_ca[0] != '\0' ? "server-ca" : TRUST_STORE);
                break;
        case PRESENTED_EXPIRED:
                text_format(presented->reason, sizeof(presented->reason), "%s: %s expired at %s",
                        why, who, clock_format_time(time, fault->not_after_usec));
                break;
        case PRESENTED_NOT_YET_VALID:
                text_format(presented->reason, sizeof(presented->reason), "%s: %s begins at %s",
                        why, who, clock_format_time(time, fault->not_before_usec));
                break;
        case PRESENTED_OTHER_PURPOSE:
                text_format(presented->reason, sizeof(presented->reason),
                        "%s: the certificate's extended key usage does not have serverAuth", why);
                break;
        case PRESENTED_REFUSED:
                text_format(presented->reason, sizeof(presented->reason), "%s: %s", why, who);
                break;
        case PRESENTED_UNASKED:
        case PRESENTED_UNSEEN:
        case PRESENTED_NO_TLS:
        case PRESENTED_VERIFIED:
        case PRESENTED_OTHER_HOST:
        case _PRESENTED_VERDICT_MAX:
                break;
        }
        if (fault->depth > 0 && presented->verdict != PRESENTED_UNTRUSTED)
                text_set(presented->authority, sizeof(presented->authority), fault->subject);
}

void presented_take_fault(PresentedFault *ret, int error, int depth, X509 *certificate)
{
        *ret = (PresentedFault){.error = error, .depth = depth};
        if (!certificate)
                return;
        identity_name(ret->subject, sizeof(ret->subject), X509_get_subject_name(certificate));
        identity_name(ret->issuer, sizeof(ret->issuer), X509_get_issuer_name(certificate));
        ret->not_before_usec = identity_time(X509_get0_notBefore(certificate));
        ret->not_after_usec = identity_time(X509_get0_notAfter(certificate));
}

void presented_take(Presented *presented, X509 *leaf, const PresentedFault *fault, const char *host,
        const char *server_ca)
{
        char names[OUTCOME_TEXT_MAX / 2];

        identity_name(presented->subject, sizeof(presented->subject), X509_get_subject_name(leaf));
        identity_name(presented->issuer, sizeof(presented->issuer), X509_get_issuer_name(leaf));
        presented->not_before_usec = identity_time(X509_get0_notBefore(leaf));
        presented->not_after_usec = identity_time(X509_get0_notAfter(leaf));
        take_names(presented, leaf);
        presented->reason[0] = '\0';
        presented->verdict = verdict_of(fault);
        if (presented->verdict == PRESENTED_VERIFIED && !is_for(leaf, host)) {
                presented->verdict = PRESENTED_OTHER_HOST;
                text_format(presented->reason, sizeof(presented->reason),
                        "%s: the certificate is for %s; host is %s",
                        X509_verify_cert_error_string(X509_V_ERR_HOSTNAME_MISMATCH),
                        presented_names(names, sizeof(names), presented), host);
        } else
                tell(presented, fault, server_ca);
}

/* Whole names only: half of one is another host. */
const char *presented_names(char *buffer, size_t size, const Presented *presented)
{
        unsigned kept =
                presented->n_names < PRESENTED_NAMES_MAX ? presented->n_names : PRESENTED_NAMES_MAX;
        char more[32] = "";
        size_t used = 0;
        unsigned i;

        text_set(buffer, size, "no host at all");
        for (i = 0; i < kept; i++) {
                const char *name = presented->names[i];

                if (used + strlen(name) + sizeof(", ") + sizeof(more) > size)
                        break;
                used += (size_t)snprintf(
                        buffer + used, size - used, "%s%s", i > 0 ? ", " : "", name);
        }
        if (i > 0 && i < presented->n_names)
                snprintf(buffer + used, size - used, " and %u more", presented->n_names - i);
        return buffer;
}

void presented_advise(char *buffer, size_t size, const Presented *presented, const char *server_ca)
{
        char names[3 * PRESENTED_NAME_MAX / 2], date[CLOCK_TEXT_SIZE];

        text_set(buffer, size, "");
        switch (presented->verdict) {
        case PRESENTED_UNASKED:
        case PRESENTED_UNSEEN:
        case PRESENTED_VERIFIED:
        case PRESENTED_REFUSED:
        case _PRESENTED_VERDICT_MAX:
                break;
        case PRESENTED_NO_TLS:
                text_set(buffer, size,
                        "TLS 1.2 or 1.3 must be enabled on the server; check host and port, too");
                break;
        case PRESENTED_UNTRUSTED:
                text_format(buffer, size,
                        "%s lacks the issuer %s: set server-ca to the bundle of who runs the "
                        "server, or check that host leads to it",
                        server_ca[0] != '\0' ? "server-ca" : TRUST_STORE, presented->authority);
                break;
        case PRESENTED_EXPIRED:
                if (presented->authority[0] != '\0')
                        text_format(buffer, size,
                                "the authority %s is over: server-ca, or the chain that the server "
                                "shows, needs the one that follows it",
                                presented->authority);
                else
                        text_format(buffer, size,
                                "the server's certificate expired on %s: it must be renewed there",
                                clock_format_date(date, presented->not_after_usec));
                break;
        case PRESENTED_NOT_YET_VALID:
                text_set(buffer, size, "check the clock of this machine and that of who issued it");
                break;
        case PRESENTED_OTHER_HOST:
                text_format(buffer, size, "host must be one of: %s",
                        presented_names(names, sizeof(names), presented));
                break;
        case PRESENTED_OTHER_PURPOSE:
                text_set(buffer, size,
                        "the server must show a certificate for servers: extended key usage "
                        "serverAuth");
                break;
        }
}
