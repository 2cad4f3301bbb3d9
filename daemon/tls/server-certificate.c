#include "daemon/tls/server-certificate.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/tls/x509.h"

#define MORE_MAX 32 /* bytes of " and N more" */

static void add_name(ServerCertificate *certificate, const char *name, size_t length)
{
        if (certificate->n_names < SERVER_CERTIFICATE_NAMES_MAX)
                text_copy(certificate->names[certificate->n_names], SERVER_CERTIFICATE_NAME_MAX,
                        name, length);
        certificate->n_names++;
}

static void add_string(ServerCertificate *certificate, const ASN1_STRING *string)
{
        add_name(certificate, (const char *)ASN1_STRING_get0_data(string),
                (size_t)ASN1_STRING_length(string));
}

static void add_address(ServerCertificate *certificate, const ASN1_STRING *bytes)
{
        int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
        char text[INET6_ADDRSTRLEN];

        if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16)
                return;
        if (inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof(text)))
                add_name(certificate, text, strlen(text));
}

static void add_common_names(ServerCertificate *certificate, const X509_NAME *subject)
{
        int i = -1;

        while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0)
                add_string(certificate, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
}

/* RFC 5280, section 4.2.1.6. */
static void read_names(ServerCertificate *certificate, X509 *leaf)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

                if (name->type == GEN_DNS)
                        add_string(certificate, name->d.dNSName);
        }
        if (certificate->n_names == 0)
                add_common_names(certificate, X509_get_subject_name(leaf));
        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

                if (name->type == GEN_IPADD)
                        add_address(certificate, name->d.iPAddress);
        }
        GENERAL_NAMES_free(names);
}

static bool matches_host(X509 *leaf, const char *host)
{
        int matched = X509_check_ip_asc(leaf, host, 0); /* -2: host is no address */

        if (matched == -2)
                matched =
                        X509_check_host(leaf, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);
        return matched == 1;
}

static CertificateResult classify(const CertificateError *error)
{
        switch (error->code) {
        case X509_V_OK:
                return CERTIFICATE_VERIFIED;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
                return CERTIFICATE_UNTRUSTED;
        case X509_V_ERR_CERT_HAS_EXPIRED:
                return CERTIFICATE_EXPIRED;
        case X509_V_ERR_CERT_NOT_YET_VALID:
                return CERTIFICATE_NOT_YET_VALID;
        case X509_V_ERR_INVALID_PURPOSE:
                return error->depth == 0 ? CERTIFICATE_OTHER_PURPOSE : CERTIFICATE_REFUSED;
        default:
                return CERTIFICATE_REFUSED;
        }
}

static void set_untrusted_reason(
        ServerCertificate *certificate, const CertificateError *error, const char *store)
{
        const char *why = X509_verify_cert_error_string(error->code);

        text_set(certificate->authority, sizeof(certificate->authority), error->certificate.issuer);
        if (error->same_name)
                text_format(certificate->reason, sizeof(certificate->reason),
                        "%s: %s has an authority named %s, but another of that name signed", why,
                        store, error->certificate.issuer);
        else if (error->code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
                text_format(certificate->reason, sizeof(certificate->reason),
                        "%s: the certificate is its own issuer %s, and not in %s", why,
                        error->certificate.issuer, store);
        else
                text_format(certificate->reason, sizeof(certificate->reason),
                        "%s: the issuer %s is not in %s", why, error->certificate.issuer, store);
}

static void set_reason(
        ServerCertificate *certificate, const CertificateError *error, const char *store)
{
        const char *why = X509_verify_cert_error_string(error->code);
        char time[CLOCK_TEXT_SIZE], who[REPORT_NAME_MAX + 16];

        text_format(who, sizeof(who), "%s %s",
                error->depth > 0 ? "the authority" : "the certificate", error->certificate.subject);
        switch (certificate->result) {
        case CERTIFICATE_UNTRUSTED:
                set_untrusted_reason(certificate, error, store);
                break;
        case CERTIFICATE_EXPIRED:
                text_format(certificate->reason, sizeof(certificate->reason),
                        "%s: %s expired at %s", why, who,
                        clock_format_time(time, error->certificate.not_after_usec));
                break;
        case CERTIFICATE_NOT_YET_VALID:
                text_format(certificate->reason, sizeof(certificate->reason), "%s: %s begins at %s",
                        why, who, clock_format_time(time, error->certificate.not_before_usec));
                break;
        case CERTIFICATE_OTHER_PURPOSE:
                text_format(certificate->reason, sizeof(certificate->reason),
                        "%s: the certificate's extended key usage does not have serverAuth", why);
                break;
        case CERTIFICATE_REFUSED:
                text_format(certificate->reason, sizeof(certificate->reason), "%s: %s", why, who);
                break;
        case CERTIFICATE_NOT_SHOWN:
        case CERTIFICATE_VERIFIED:
        case CERTIFICATE_OTHER_HOST:
        case _CERTIFICATE_RESULT_MAX:
                break;
        }
        if (error->depth > 0 && certificate->result != CERTIFICATE_UNTRUSTED)
                text_set(certificate->authority, sizeof(certificate->authority),
                        error->certificate.subject);
}

void server_certificate_set_error(CertificateError *ret, int code, int depth, X509 *certificate)
{
        *ret = (CertificateError){.code = code, .depth = depth};
        if (certificate)
                x509_describe(&ret->certificate, certificate);
}

void server_certificate_evaluate(ServerCertificate *certificate, X509 *leaf,
        const CertificateError *error, const char *host, const char *store)
{
        char names[OUTCOME_TEXT_MAX / 2];

        x509_name_text(
                certificate->subject, sizeof(certificate->subject), X509_get_subject_name(leaf));
        x509_name_text(
                certificate->issuer, sizeof(certificate->issuer), X509_get_issuer_name(leaf));
        certificate->not_before_usec = x509_time_usec(X509_get0_notBefore(leaf));
        certificate->not_after_usec = x509_time_usec(X509_get0_notAfter(leaf));
        read_names(certificate, leaf);
        certificate->reason[0] = '\0';
        certificate->result = classify(error);
        if (certificate->result == CERTIFICATE_VERIFIED && !matches_host(leaf, host)) {
                certificate->result = CERTIFICATE_OTHER_HOST;
                text_format(certificate->reason, sizeof(certificate->reason),
                        "%s: the certificate is for %s; host is %s",
                        X509_verify_cert_error_string(X509_V_ERR_HOSTNAME_MISMATCH),
                        server_certificate_names(names, sizeof(names), certificate), host);
        } else
                set_reason(certificate, error, store);
}

/* Whole names only: a part of one is another host. */
bool server_certificate_is_valid(const ServerCertificate *certificate)
{
        for (size_t i = 0; i < SERVER_CERTIFICATE_NAMES_MAX; i++)
                if (!TEXT_IS_RECEIVED(certificate->names[i]))
                        return false;
        return IS_ENUMERATOR(certificate->result, _CERTIFICATE_RESULT_MAX) &&
                TEXT_IS_RECEIVED(certificate->reason) && TEXT_IS_RECEIVED(certificate->subject) &&
                TEXT_IS_RECEIVED(certificate->issuer) && TEXT_IS_RECEIVED(certificate->authority);
}

const char *server_certificate_names(
        char *buffer, size_t size, const ServerCertificate *certificate)
{
        unsigned kept = certificate->n_names < SERVER_CERTIFICATE_NAMES_MAX
                ? certificate->n_names
                : SERVER_CERTIFICATE_NAMES_MAX;
        size_t used = 0;
        unsigned i;

        text_set(buffer, size, "no host at all");
        for (i = 0; i < kept; i++) {
                const char *name = certificate->names[i];

                if (used + strlen(name) + sizeof(", ") + MORE_MAX > size)
                        break;
                used += (size_t)snprintf(
                        buffer + used, size - used, "%s%s", i > 0 ? ", " : "", name);
        }
        if (i > 0 && i < certificate->n_names)
                snprintf(buffer + used, size - used, " and %u more", certificate->n_names - i);
        return buffer;
}

void server_certificate_advise(
        char *buffer, size_t size, const ServerCertificate *certificate, const char *server_ca)
{
        char names[3 * SERVER_CERTIFICATE_NAME_MAX / 2], date[CLOCK_TEXT_SIZE];

        text_set(buffer, size, "");
        switch (certificate->result) {
        case CERTIFICATE_NOT_SHOWN:
        case CERTIFICATE_VERIFIED:
        case CERTIFICATE_REFUSED:
        case _CERTIFICATE_RESULT_MAX:
                break;
        case CERTIFICATE_UNTRUSTED:
                text_format(buffer, size,
                        "%s lacks the CA that signed, %s: set server-ca to the CA bundle of the server's "
                        "operator, or check that host is the right server",
                        server_ca[0] != '\0' ? "server-ca" : SERVER_CERTIFICATE_TRUST_STORE,
                        certificate->authority);
                break;
        case CERTIFICATE_EXPIRED:
                if (certificate->authority[0] != '\0')
                        text_format(buffer, size,
                                "the authority %s has expired: server-ca, or the chain that the "
                                "server sends, needs its successor",
                                certificate->authority);
                else
                        text_format(buffer, size,
                                "the server's certificate expired on %s: it must be renewed there",
                                clock_format_date(date, certificate->not_after_usec));
                break;
        case CERTIFICATE_NOT_YET_VALID:
                text_set(buffer, size, "check the clock of this host and that of the issuer");
                break;
        case CERTIFICATE_OTHER_HOST:
                text_format(buffer, size, "host must be one of: %s",
                        server_certificate_names(names, sizeof(names), certificate));
                break;
        case CERTIFICATE_OTHER_PURPOSE:
                text_set(buffer, size,
                        "the server must show a certificate for servers: extended key usage "
                        "serverAuth");
                break;
        }
}
