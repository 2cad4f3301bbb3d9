#include "daemon/inspect/validate.h"

#include <sys/stat.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/config/expiry-warnings.h"
#include "daemon/inspect/certification-path.h"
#include "daemon/inspect/private-key.h"
#include "daemon/tls/x509.h"

typedef struct Validator {
        Report *report;
        const Pem *pem;
        const MaterialConfig *config;
        uint64_t now_usec;
} Validator;

#define VIOLATION(validator, file, rule, severity, ...) \
        report_add((validator)->report, file, rule, severity, __VA_ARGS__)

/* The result may change at `usec`. */
static void add_boundary(Validator *validator, uint64_t usec)
{
        report_add_boundary(validator->report, usec, validator->now_usec);
}

static void validate_key(Validator *validator, const FileStat *key_stat)
{
        const MaterialConfig *config = validator->config;
        const EVP_PKEY *key = validator->pem->key;
        const char *path = config->path[MATERIAL_KEY];

        if (S_ISREG(key_stat->mode) && (key_stat->mode & (S_IROTH | S_IWOTH)) != 0 &&
                config->key_permissions != POLICY_IGNORE)
                VIOLATION(validator, MATERIAL_KEY, RULE_KEY_PERMISSIONS,
                        config->key_permissions == POLICY_REFUSE ? SEVERITY_ERROR
                                                                 : SEVERITY_WARNING,
                        "%s: wanted a key that others cannot read, found mode %04o; chmod o-rwx",
                        path, key_stat->mode & 07777);
        if (!key)
                return;
        if (EVP_PKEY_is_a(key, "RSA")) {
                int bits = EVP_PKEY_get_bits(key);

                if (bits < (int)config->minimum_rsa_bits || bits > OPENSSL_RSA_MAX_MODULUS_BITS)
                        VIOLATION(validator, MATERIAL_KEY, RULE_KEY_BITS, SEVERITY_ERROR,
                                "%s: wanted an RSA key of %u to %d bits, found %d", path,
                                config->minimum_rsa_bits, OPENSSL_RSA_MAX_MODULUS_BITS, bits);
        } else if (!EVP_PKEY_is_a(key, "EC") || config->key_types != KEY_TYPES_RSA_EC)
                VIOLATION(validator, MATERIAL_KEY, RULE_KEY_TYPE, SEVERITY_ERROR,
                        "%s: wanted a key of type %s, found %s", path,
                        config->key_types == KEY_TYPES_RSA ? "rsa" : "rsa or ec",
                        x509_key_type_text(key));
}

/* A key of a refused type or length is not computed with. */
static int validate_pair(Validator *validator, X509 *leaf)
{
        const char *path = validator->config->path[MATERIAL_KEY], *fault = NULL;
        EVP_PKEY *key = validator->pem->key, *certified = X509_get0_pubkey(leaf);
        bool refused = report_has(validator->report, RULE_KEY_TYPE) ||
                report_has(validator->report, RULE_KEY_BITS);
        int same = certified ? EVP_PKEY_eq(certified, key) : 0, r = 0;

        /* OpenSSL 3.5 cannot compare a key with a number longer than the modulus (-2). */
        if ((same == 1 || same == -2) && !refused)
                r = private_key_check(&fault, key, certified);
        ERR_clear_error();
        if (r < 0)
                return r;
        if (fault)
                VIOLATION(validator, MATERIAL_KEY, RULE_KEY_DAMAGED, SEVERITY_ERROR,
                        "%s: wanted numbers that belong together, found %s", path, fault);
        else if (same != 1)
                VIOLATION(validator, MATERIAL_KEY, RULE_KEY_MISMATCH, SEVERITY_ERROR,
                        "%s: does not belong to the certificate in %s", path,
                        validator->config->path[MATERIAL_CERT]);
        return 0;
}

/* For a certificate that is needed: the leaf, or a CA on its path. */
static void validate_time(
        Validator *validator, X509 *certificate, MaterialFile file, Rule expired, const char *what)
{
        uint64_t not_before = x509_time_usec(X509_get0_notBefore(certificate));
        uint64_t not_after = x509_time_usec(X509_get0_notAfter(certificate));
        uint64_t *shortest = &validator->report->expires_within_usec;
        const char *path = validator->config->path[file];
        char time[CLOCK_TEXT_SIZE], left[DURATION_TEXT_SIZE];
        ExpiryWarning warning;
        Problem *problem;

        add_boundary(validator, not_before);
        add_boundary(validator, not_after);
        if (validator->now_usec < not_before) {
                VIOLATION(validator, file, RULE_CERT_NOT_YET_VALID, SEVERITY_ERROR,
                        "%s: %s is not valid before %s", path, what,
                        clock_format_time(time, not_before));
                return;
        }
        if (validator->now_usec >= not_after) {
                VIOLATION(validator, file, expired, SEVERITY_ERROR, "%s: %s expired at %s", path,
                        what, x509_time_text(time, X509_get0_notAfter(certificate)));
                return;
        }
        warning = expiry_warnings_evaluate(
                validator->config, not_before, not_after, validator->now_usec);
        add_boundary(validator, warning.next_usec);
        if (warning.within_usec == 0)
                return;
        if (*shortest == 0 || warning.within_usec < *shortest)
                *shortest = warning.within_usec;
        problem = VIOLATION(validator, file, RULE_EXPIRES_SOON, SEVERITY_WARNING,
                "%s: %s expires in %s, at %s", path, what,
                duration_format(left, not_after - validator->now_usec),
                clock_format_time(time, not_after));
        if (problem)
                problem->end_usec = not_after;
}

static bool common_name(char *buffer, size_t size, X509 *certificate)
{
        return X509_NAME_get_text_by_NID(
                       X509_get_subject_name(certificate), NID_commonName, buffer, (int)size) > 0;
}

static void validate_leaf(Validator *validator, X509 *leaf)
{
        const char *path = validator->config->path[MATERIAL_CERT];
        char mine[256], theirs[256];

        if (X509_get_extension_flags(leaf) & EXFLAG_CA)
                VIOLATION(validator, MATERIAL_CERT, RULE_CERT_IS_CA, SEVERITY_ERROR,
                        "%s: wanted a client certificate, found a CA certificate", path);
        if (!common_name(mine, sizeof(mine), leaf))
                return;
        for (int i = 0; i < sk_X509_num(validator->pem->authorities); i++)
                if (common_name(theirs, sizeof(theirs),
                            sk_X509_value(validator->pem->authorities, i)) &&
                        strcmp(mine, theirs) == 0) {
                        VIOLATION(validator, MATERIAL_CERT, RULE_SAME_COMMON_NAME, SEVERITY_ERROR,
                                "%s: wanted a common name other than the CA's, found \"%s\" in "
                                "both; MySQL cannot use such a certificate",
                                path, mine);
                        return;
                }
}

/* Of a certificate that expired and is not on the path. */
static void validate_unneeded(Validator *validator, X509 *certificate, MaterialFile file)
{
        uint64_t not_after = x509_time_usec(X509_get0_notAfter(certificate));
        char name[REPORT_NAME_MAX], time[CLOCK_TEXT_SIZE];

        add_boundary(validator, not_after);
        if (validator->now_usec < not_after)
                return;
        x509_name_text(name, sizeof(name), X509_get_subject_name(certificate));
        VIOLATION(validator, file, RULE_CA_EXPIRED, SEVERITY_WARNING,
                "%s: the CA \"%s\" expired at %s; the client certificate does not need it",
                validator->config->path[file], name,
                x509_time_text(time, X509_get0_notAfter(certificate)));
}

/* Every certificate but the leaf. */
static void validate_ca_times(Validator *validator, const STACK_OF(X509) * path)
{
        const Pem *pem = validator->pem;
        char name[REPORT_NAME_MAX], what[REPORT_NAME_MAX + 64];

        for (int i = 1; path && i < sk_X509_num(path); i++) {
                X509 *certificate = sk_X509_value(path, i);

                x509_name_text(name, sizeof(name), X509_get_subject_name(certificate));
                text_format(what, sizeof(what), "the CA \"%s\" that the client certificate needs",
                        name);
                validate_time(validator, certificate,
                        x509_stack_contains(pem->authorities, certificate) ? MATERIAL_CA
                                                                           : MATERIAL_CERT,
                        RULE_CA_EXPIRED, what);
        }
        for (int i = 0; i < sk_X509_num(pem->authorities); i++)
                if (!x509_stack_contains(path, sk_X509_value(pem->authorities, i)))
                        validate_unneeded(
                                validator, sk_X509_value(pem->authorities, i), MATERIAL_CA);
        for (int i = 1; i < sk_X509_num(pem->chain); i++) {
                X509 *certificate = sk_X509_value(pem->chain, i);

                if (X509_check_ca(certificate) != 0 && !x509_stack_contains(path, certificate) &&
                        !x509_stack_contains(pem->authorities, certificate))
                        validate_unneeded(validator, certificate, MATERIAL_CERT);
        }
}

static void validate_authorities(Validator *validator)
{
        char name[REPORT_NAME_MAX];

        validator->report->ca_count = (unsigned)sk_X509_num(validator->pem->authorities);
        for (int i = 0; i < sk_X509_num(validator->pem->authorities); i++) {
                X509 *certificate = sk_X509_value(validator->pem->authorities, i);
                uint64_t not_after = x509_time_usec(X509_get0_notAfter(certificate));

                add_boundary(validator, not_after);
                if (i == 0 || not_after < validator->report->ca_not_after_usec) {
                        validator->report->ca_not_after_usec = not_after;
                        validator->report->ca_not_before_usec =
                                x509_time_usec(X509_get0_notBefore(certificate));
                }
                if (X509_check_ca(certificate) != 0)
                        continue;
                x509_name_text(name, sizeof(name), X509_get_subject_name(certificate));
                VIOLATION(validator, MATERIAL_CA, RULE_CA_NOT_A_CA, SEVERITY_ERROR,
                        "%s: wanted only CA certificates, found \"%s\", which is none",
                        validator->config->path[MATERIAL_CA], name);
        }
}

int validate(Report *report, const Pem *pem, const MaterialConfig *config, const FileStat *key_stat,
        uint64_t now_usec)
{
        Validator validator = {report, pem, config, now_usec};
        X509 *leaf = pem_leaf(pem);
        STACK_OF(X509) *path = NULL;
        int r = 0;

        validate_key(&validator, key_stat);
        if (pem->authorities)
                validate_authorities(&validator);
        if (!leaf)
                return 0;
        report->has_certificate = true;
        x509_describe(&report->certificate, leaf);
        if (pem->key)
                r = validate_pair(&validator, leaf);
        if (r < 0)
                return r;
        validate_time(&validator, leaf, MATERIAL_CERT, RULE_CERT_EXPIRED, "the certificate");
        if (pem->authorities)
                validate_leaf(&validator, leaf);
        r = certification_path_verify(&path, report, pem, config, now_usec);
        if (r < 0)
                return r;
        if (pem->authorities)
                validate_ca_times(&validator, path);
        sk_X509_pop_free(path, X509_free);
        return 0;
}
