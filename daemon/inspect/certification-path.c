#include "daemon/inspect/certification-path.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/tls/x509.h"

#define FAULTS_MAX      64
#define SUBJECT_MAX     (REPORT_NAME_MAX + 16)
#define NAMED_MAX       3    /* CAs of the file in a sentence */
#define LEVEL_RSA_BITS  2048 /* of level 2 */
#define LEVEL_BITS_FULL 112
#define LEVEL_BITS_LOW  80

/* What OpenSSL found, in its order. */
typedef struct Fault {
        int error; /* X509_V_ERR_* */
        int depth; /* 0: the leaf */
} Fault;

typedef struct Faults {
        unsigned n;
        Fault fault[FAULTS_MAX];
} Faults;

typedef struct Verification {
        Report *report;
        const Pem *pem;
        const MaterialConfig *config;
        STACK_OF(X509) * path; /* as far as OpenSSL could build it */
        bool broken;           /* the path does not lead to the CA file */
} Verification;

DEFINE_CLEANUP(X509_STORE *, X509_STORE_free);
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free);

static MaterialFile file_of(const Verification *verification, const X509 *certificate)
{
        return x509_stack_contains(verification->pem->chain, certificate) ? MATERIAL_CERT
                                                                          : MATERIAL_CA;
}

/* How a sentence names a certificate. */
static const char *subject_of(
        char buffer[SUBJECT_MAX], const Verification *verification, X509 *certificate)
{
        char name[REPORT_NAME_MAX];

        if (X509_cmp(certificate, pem_leaf(verification->pem)) == 0)
                return "the client certificate";
        x509_name_text(name, sizeof(name), X509_get_subject_name(certificate));
        text_format(buffer, SUBJECT_MAX, "%s \"%s\"",
                X509_check_ca(certificate) ? "the CA" : "the certificate", name);
        return buffer;
}

#define VIOLATION(verification, certificate, rule, format, ...)                      \
        report_add((verification)->report, file_of(verification, certificate), rule, \
                SEVERITY_ERROR, "%s: " format,                                       \
                (verification)->config->path[file_of(verification, certificate)], __VA_ARGS__)

static int security_level(const Verification *verification)
{
        return verification->config->minimum_rsa_bits < LEVEL_RSA_BITS ? 1 : 2;
}

static int minimum_rsa_bits(const Verification *verification)
{
        return security_level(verification) == 1 ? (int)verification->config->minimum_rsa_bits
                                                 : LEVEL_RSA_BITS;
}

static int level_bits(const Verification *verification)
{
        return security_level(verification) == 1 ? LEVEL_BITS_LOW : LEVEL_BITS_FULL;
}

/* The leaf's key is that of the key file, whose violations are found there. */
static void add_weak_key(Verification *verification, X509 *certificate)
{
        const EVP_PKEY *key = X509_get0_pubkey(certificate);
        char subject[SUBJECT_MAX];

        if (X509_cmp(certificate, pem_leaf(verification->pem)) == 0 &&
                (report_has(verification->report, RULE_KEY_BITS) ||
                        report_has(verification->report, RULE_KEY_TYPE)))
                return;
        if (key && EVP_PKEY_is_a(key, "RSA"))
                VIOLATION(verification, certificate, RULE_KEY_BITS,
                        "wanted an RSA key of %d bits or more in %s, found %d",
                        minimum_rsa_bits(verification),
                        subject_of(subject, verification, certificate), EVP_PKEY_get_bits(key));
        else
                VIOLATION(verification, certificate, RULE_KEY_BITS,
                        "wanted a key with %d bits of security or more in %s, found %d (%s)",
                        level_bits(verification), subject_of(subject, verification, certificate),
                        key ? EVP_PKEY_get_security_bits(key) : 0,
                        key ? x509_key_type_text(key) : "unknown");
}

static void add_weak_signature(Verification *verification, X509 *certificate)
{
        int digest = NID_undef, signature = X509_get_signature_nid(certificate);
        char subject[SUBJECT_MAX];

        (void)X509_get_signature_info(certificate, &digest, NULL, NULL, NULL);
        VIOLATION(verification, certificate, RULE_CERT_SIGNATURE,
                "wanted a signature over SHA-256 or better, found %s%s%s on %s",
                OBJ_nid2ln(signature), signature == NID_rsassaPss ? " over " : "",
                signature == NID_rsassaPss ? OBJ_nid2sn(digest) : "",
                subject_of(subject, verification, certificate));
}

/* Level 1 has 1024 bits; minimum-rsa-bits may be greater. */
static void verify_rsa_bits(Verification *verification, X509 *certificate)
{
        EVP_PKEY *key = X509_get0_pubkey(certificate);

        if (key && EVP_PKEY_is_a(key, "RSA") &&
                EVP_PKEY_get_security_bits(key) >= level_bits(verification) &&
                EVP_PKEY_get_bits(key) < minimum_rsa_bits(verification))
                add_weak_key(verification, certificate);
}

/* As OpenSSL's check_key_level() and check_sig_level(), for what is not on the path. */
static void verify_strength(Verification *verification, X509 *certificate)
{
        EVP_PKEY *key = X509_get0_pubkey(certificate);
        int bits = 0;

        if (!key || EVP_PKEY_get_security_bits(key) < level_bits(verification))
                add_weak_key(verification, certificate);
        if (X509_check_issued(certificate, certificate) == X509_V_OK)
                return;
        if (!X509_get_signature_info(certificate, NULL, NULL, &bits, NULL) ||
                bits < level_bits(verification))
                add_weak_signature(verification, certificate);
}

static const char *key_usage_text(uint32_t usage)
{
        if (usage & KU_KEY_ENCIPHERMENT)
                return "keyEncipherment";
        if (usage & KU_NON_REPUDIATION)
                return "nonRepudiation";
        return "only others";
}

/* OpenSSL, check_purpose_ssl_client() and check_ssl_ca(). */
static void add_usage(Verification *verification, X509 *certificate, bool is_leaf)
{
        uint32_t flags = X509_get_extension_flags(certificate);
        uint32_t extended = X509_get_extended_key_usage(certificate);
        uint32_t usage = X509_get_key_usage(certificate);
        char subject[SUBJECT_MAX];
        const char *name = subject_of(subject, verification, certificate);

        if (is_leaf && (flags & EXFLAG_CA))
                return; /* cert-is-ca */
        if ((flags & EXFLAG_XKUSAGE) && !(extended & XKU_SSL_CLIENT))
                VIOLATION(verification, certificate, RULE_CERT_USAGE,
                        "wanted clientAuth in the extended key usage of %s, found %s", name,
                        extended & XKU_ANYEKU               ? "anyExtendedKeyUsage"
                                : extended & XKU_SSL_SERVER ? "serverAuth"
                                                            : "only others");
        else if (is_leaf && (flags & EXFLAG_KUSAGE) &&
                !(usage & (KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT)))
                VIOLATION(verification, certificate, RULE_CERT_USAGE,
                        "wanted digitalSignature in the key usage of %s, found %s", name,
                        key_usage_text(usage));
        else
                VIOLATION(verification, certificate, RULE_CERT_USAGE,
                        "wanted the purpose of a TLS client in the Netscape certificate type of "
                        "%s, found only others",
                        name);
}

/* The first CA above `depth` whose name constraints the certificate violates. */
static X509 *find_constraint(const Verification *verification, int depth, int error)
{
        X509 *certificate = sk_X509_value(verification->path, depth);

        for (int i = depth + 1; i < sk_X509_num(verification->path); i++) {
                X509 *issuer = sk_X509_value(verification->path, i);
                NAME_CONSTRAINTS *constraints =
                        X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL);
                bool found = constraints &&
                        (NAME_CONSTRAINTS_check(certificate, constraints) == error ||
                                NAME_CONSTRAINTS_check_CN(certificate, constraints) == error);

                NAME_CONSTRAINTS_free(constraints);
                if (found)
                        return issuer;
        }
        return NULL;
}

static void add_name_constraint(Verification *verification, X509 *certificate, int depth, int error)
{
        X509 *issuer = find_constraint(verification, depth, error);
        char one[SUBJECT_MAX], other[SUBJECT_MAX];

        VIOLATION(verification, certificate, RULE_CA_CONSTRAINT,
                "wanted names that the name constraints of %s permit, found others in %s (%s)",
                issuer ? subject_of(one, verification, issuer) : "its CA",
                subject_of(other, verification, certificate), X509_verify_cert_error_string(error));
}

static void add_path_length(Verification *verification, X509 *certificate)
{
        char subject[SUBJECT_MAX];
        long limit = X509_get_pathlen(certificate);

        VIOLATION(verification, certificate, RULE_CA_CONSTRAINT,
                "wanted at most %ld CA%s below %s, which is its path length, found more", limit,
                limit == 1 ? "" : "s", subject_of(subject, verification, certificate));
}

/* The end of the path: the issuer that is missing, and what the CA file has instead. */
static void describe_end(const Verification *verification, char *buffer, size_t size)
{
        STACK_OF(X509) *authorities = verification->pem->authorities;
        X509 *last = sk_X509_value(verification->path, sk_X509_num(verification->path) - 1);
        const X509_NAME *issuer = X509_get_issuer_name(last);
        char text[SUBJECT_MAX], name[REPORT_NAME_MAX];
        const char *subject = subject_of(text, verification, last);

        x509_name_text(name, sizeof(name), issuer);
        if (X509_check_issued(last, last) == X509_V_OK)
                text_format(buffer, size, "; it ends at %s", subject);
        else
                text_format(buffer, size, "; the issuer of %s is \"%s\"", subject, name);
        for (int i = 0; i < sk_X509_num(authorities) && i < NAMED_MAX; i++) {
                const X509_NAME *authority = X509_get_subject_name(sk_X509_value(authorities, i));

                x509_name_text(name, sizeof(name), authority);
                text_append(buffer, size, "%s \"%s\"%s", i == 0 ? ", ca has" : ",", name,
                        X509_NAME_cmp(authority, issuer) == 0 ? " with another key" : "");
        }
        if (sk_X509_num(authorities) > NAMED_MAX)
                text_append(buffer, size, " and %d more", sk_X509_num(authorities) - NAMED_MAX);
}

/* Only the first fault of this kind is the cause. */
static void add_broken(Verification *verification, int error)
{
        char end[PROBLEM_TEXT_MAX] = "";

        if (verification->broken)
                return;
        verification->broken = true;
        if (verification->config->chain == POLICY_IGNORE ||
                report_has(verification->report, RULE_CA_NOT_A_CA))
                return;
        if (error != X509_V_ERR_CERT_SIGNATURE_FAILURE && sk_X509_num(verification->path) > 0)
                describe_end(verification, end, sizeof(end));
        report_add(verification->report, MATERIAL_CERT, RULE_CHAIN_BROKEN,
                verification->config->chain == POLICY_REFUSE ? SEVERITY_ERROR : SEVERITY_WARNING,
                "%s: no chain to a CA of the CA file: %s%s",
                verification->config->path[MATERIAL_CERT], X509_verify_cert_error_string(error),
                end);
}

/* OpenSSL reports the wrong purpose of what is no CA as well. */
static void add_fault(Verification *verification, const Fault *fault)
{
        X509 *certificate = sk_X509_value(verification->path, fault->depth);

        if (!certificate) {
                add_broken(verification, fault->error);
                return;
        }
        switch (fault->error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
                break;
        case X509_V_ERR_EE_KEY_TOO_SMALL:
        case X509_V_ERR_CA_KEY_TOO_SMALL:
                add_weak_key(verification, certificate);
                break;
        case X509_V_ERR_CA_MD_TOO_WEAK:
                add_weak_signature(verification, certificate);
                break;
        case X509_V_ERR_INVALID_PURPOSE:
                if (fault->depth == 0 || X509_check_ca(certificate) != 0)
                        add_usage(verification, certificate, fault->depth == 0);
                break;
        case X509_V_ERR_PATH_LENGTH_EXCEEDED:
                add_path_length(verification, certificate);
                break;
        case X509_V_ERR_PERMITTED_VIOLATION:
        case X509_V_ERR_EXCLUDED_VIOLATION:
        case X509_V_ERR_SUBTREE_MINMAX:
        case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
        case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
        case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
                add_name_constraint(verification, certificate, fault->depth, fault->error);
                break;
        default:
                add_broken(verification, fault->error);
        }
}

static int collect(int good, X509_STORE_CTX *context)
{
        Faults *faults = X509_STORE_CTX_get_app_data(context);

        if (!good && faults->n < FAULTS_MAX)
                faults->fault[faults->n++] = (Fault){
                        .error = X509_STORE_CTX_get_error(context),
                        .depth = X509_STORE_CTX_get_error_depth(context),
                };
        return 1;
}

/* OpenSSL has the time, because it prefers a CA that is valid now over an expired one of the same
 * name. */
static int build(Verification *verification, Faults *faults, unsigned long flags, uint64_t now_usec)
{
        CLEANUP(X509_STORE_freep) X509_STORE *store = X509_STORE_new();
        CLEANUP(X509_STORE_CTX_freep) X509_STORE_CTX *context = X509_STORE_CTX_new();
        const Pem *pem = verification->pem;
        bool ready = store && context;

        for (int i = 0; ready && i < sk_X509_num(pem->authorities); i++)
                ready = X509_STORE_add_cert(store, sk_X509_value(pem->authorities, i));
        if (!ready || !X509_STORE_CTX_init(context, store, pem_leaf(pem), pem->chain) ||
                !X509_STORE_CTX_set_default(context, "ssl_client") ||
                !X509_STORE_CTX_set_app_data(context, faults))
                return -ENOMEM;
        X509_STORE_CTX_set_flags(context, flags);
        X509_STORE_CTX_set_time(context, 0, (time_t)(now_usec / USEC_PER_SEC));
        X509_VERIFY_PARAM_set_auth_level(
                X509_STORE_CTX_get0_param(context), security_level(verification));
        X509_STORE_CTX_set_verify_cb(context, collect);
        if (X509_verify_cert(context) <= 0 && faults->n == 0)
                faults->fault[faults->n++] = (Fault){X509_STORE_CTX_get_error(context), -1};
        if (X509_STORE_CTX_get_error(context) == X509_V_ERR_OUT_OF_MEM)
                return -ENOMEM;
        verification->path = X509_STORE_CTX_get1_chain(context);
        return 0;
}

static bool lacks_issuer(const Faults *faults)
{
        for (unsigned i = 0; i < faults->n; i++)
                if (faults->fault[i].error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
                        faults->fault[i].error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
                        return true;
        return false;
}

/* The path to a root, as a source has it. A CA file may have only an intermediate, whose root the
 * source has: without a root the path may end at any certificate of the CA file. */
static int build_longest(Verification *verification, Faults *faults, uint64_t now_usec)
{
        int r = build(verification, faults, 0, now_usec);

        if (r < 0 || !lacks_issuer(faults))
                return r;
        sk_X509_pop_free(verification->path, X509_free);
        verification->path = NULL;
        *faults = (Faults){0};
        return build(verification, faults, X509_V_FLAG_PARTIAL_CHAIN, now_usec);
}

int certification_path_verify(STACK_OF(X509) * *ret, Report *report, const Pem *pem,
        const MaterialConfig *config, uint64_t now_usec)
{
        Verification verification = {.report = report, .pem = pem, .config = config};
        Faults faults = {0};
        int r = pem->authorities ? build_longest(&verification, &faults, now_usec) : 0;

        ERR_clear_error();
        if (r < 0)
                return r;
        for (unsigned i = 0; i < faults.n; i++)
                add_fault(&verification, &faults.fault[i]);
        for (int i = 0; i < sk_X509_num(verification.path); i++)
                verify_rsa_bits(&verification, sk_X509_value(verification.path, i));
        for (int i = 0; i < sk_X509_num(pem->chain); i++)
                if (!x509_stack_contains(verification.path, sk_X509_value(pem->chain, i))) {
                        verify_strength(&verification, sk_X509_value(pem->chain, i));
                        verify_rsa_bits(&verification, sk_X509_value(pem->chain, i));
                }
        ERR_clear_error();
        if (verification.broken) {
                sk_X509_pop_free(verification.path, X509_free);
                verification.path = NULL;
        }
        *ret = verification.path;
        return 0;
}
