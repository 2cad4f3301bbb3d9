#include "daemon/inspect/validate.h"

#include <sys/stat.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/text.h"
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
        uint64_t *next = &validator->report->next_boundary_usec;

        if (usec > validator->now_usec && (*next == 0 || usec < *next))
                *next = usec;
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

static bool is_weak_digest(X509 *certificate)
{
        int digest = NID_undef;

        if (!OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, NULL))
                return false;
        return digest == NID_md5 || digest == NID_sha1 || digest == NID_md5_sha1 ||
                digest == NID_md2 || digest == NID_md4;
}

static void validate_signatures(Validator *validator)
{
        for (int i = 0; i < sk_X509_num(validator->pem->chain); i++) {
                X509 *certificate = sk_X509_value(validator->pem->chain, i);

                if (is_weak_digest(certificate) &&
                        X509_check_issued(certificate, certificate) != X509_V_OK)
                        VIOLATION(validator, MATERIAL_CERT, RULE_CERT_SIGNATURE, SEVERITY_ERROR,
                                "%s: wanted a signature over SHA-256 or better, found %s in "
                                "certificate %d",
                                validator->config->path[MATERIAL_CERT],
                                OBJ_nid2ln(X509_get_signature_nid(certificate)), i + 1);
        }
}

/* For a certificate that is needed: the leaf, or a CA on its path. */
static void validate_time(
        Validator *validator, X509 *certificate, MaterialFile file, Rule expired, const char *what)
{
        uint64_t not_before = x509_time_usec(X509_get0_notBefore(certificate));
        uint64_t not_after = x509_time_usec(X509_get0_notAfter(certificate));
        uint64_t *shortest = &validator->report->expires_within_usec, within = 0;
        const char *path = validator->config->path[file];
        char time[CLOCK_TEXT_SIZE], left[DURATION_TEXT_SIZE];
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
                        what, clock_format_time(time, not_after));
                return;
        }
        for (unsigned i = 0; i < CONFIG_EXPIRY_WARNINGS_MAX; i++) {
                uint64_t warning = validator->config->expiry_warning_usec[i];

                if (warning == 0)
                        break;
                if (not_after - validator->now_usec <= warning)
                        within = warning;
                else
                        add_boundary(validator, not_after - warning);
        }
        if (within == 0)
                return;
        if (*shortest == 0 || within < *shortest)
                *shortest = within;
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
        else if ((X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) &&
                !(X509_get_extended_key_usage(leaf) & (XKU_SSL_CLIENT | XKU_ANYEKU)))
                VIOLATION(validator, MATERIAL_CERT, RULE_CERT_USAGE, SEVERITY_ERROR,
                        "%s: wanted clientAuth in the extended key usage, found only others", path);
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

static bool contains(STACK_OF(X509) * stack, const X509 *certificate)
{
        for (int i = 0; stack && i < sk_X509_num(stack); i++)
                if (X509_cmp(sk_X509_value(stack, i), certificate) == 0)
                        return true;
        return false;
}

/* Times have rules of their own. OpenSSL checks them all the same, because it then prefers a CA
 * that is valid now over an expired one of the same name; their errors are ignored here. */
static int ignore_times(int good, X509_STORE_CTX *context)
{
        int error = X509_STORE_CTX_get_error(context);

        if (error != X509_V_ERR_CERT_HAS_EXPIRED && error != X509_V_ERR_CERT_NOT_YET_VALID)
                return good;
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
}

/* Returns the path from the leaf to the CA file, or NULL with the reason in `ret_reason`. */
static STACK_OF(X509) * build_path(const Validator *validator, X509 *leaf, const char **ret_reason)
{
        X509_STORE *store = X509_STORE_new();
        X509_STORE_CTX *context = X509_STORE_CTX_new();
        STACK_OF(X509) *path = NULL;
        bool ready = store && context;

        *ret_reason = "out of memory";
        for (int i = 0; ready && i < sk_X509_num(validator->pem->authorities); i++)
                ready = X509_STORE_add_cert(store, sk_X509_value(validator->pem->authorities, i));
        if (ready && X509_STORE_CTX_init(context, store, leaf, validator->pem->chain)) {
                X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
                X509_STORE_CTX_set_time(context, 0, (time_t)(validator->now_usec / USEC_PER_SEC));
                X509_STORE_CTX_set_verify_cb(context, ignore_times);
                if (X509_verify_cert(context) == 1)
                        path = X509_STORE_CTX_get1_chain(context);
                *ret_reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
        }
        X509_STORE_CTX_free(context);
        X509_STORE_free(store);
        ERR_clear_error();
        return path;
}

static void validate_path(Validator *validator, X509 *leaf)
{
        const char *reason;
        STACK_OF(X509) *path = build_path(validator, leaf, &reason);
        char name[REPORT_NAME_MAX], what[REPORT_NAME_MAX + 64], time[CLOCK_TEXT_SIZE];

        if (!path && validator->config->chain != POLICY_IGNORE &&
                !report_has(validator->report, RULE_CA_NOT_A_CA))
                VIOLATION(validator, MATERIAL_CERT, RULE_CHAIN_BROKEN,
                        validator->config->chain == POLICY_REFUSE ? SEVERITY_ERROR
                                                                  : SEVERITY_WARNING,
                        "%s: wanted a chain to a CA in %s, found none: %s",
                        validator->config->path[MATERIAL_CERT],
                        validator->config->path[MATERIAL_CA], reason);

        for (int i = 1; path && i < sk_X509_num(path); i++) {
                X509 *certificate = sk_X509_value(path, i);
                bool in_ca_file = contains(validator->pem->authorities, certificate);
                MaterialFile file = in_ca_file ? MATERIAL_CA : MATERIAL_CERT;

                x509_name_text(name, sizeof(name), X509_get_subject_name(certificate));
                text_format(what, sizeof(what), "the CA \"%s\" that the client certificate needs",
                        name);
                validate_time(validator, certificate, file, RULE_CA_EXPIRED, what);
        }
        for (int i = 0; i < sk_X509_num(validator->pem->authorities); i++) {
                X509 *certificate = sk_X509_value(validator->pem->authorities, i);
                uint64_t not_after = x509_time_usec(X509_get0_notAfter(certificate));

                if (contains(path, certificate) || validator->now_usec < not_after)
                        continue;
                x509_name_text(name, sizeof(name), X509_get_subject_name(certificate));
                VIOLATION(validator, MATERIAL_CA, RULE_CA_EXPIRED, SEVERITY_WARNING,
                        "%s: the CA \"%s\" expired at %s; the client certificate does not need it",
                        validator->config->path[MATERIAL_CA], name,
                        clock_format_time(time, not_after));
        }
        sk_X509_pop_free(path, X509_free);
}

static void validate_authorities(Validator *validator)
{
        char name[REPORT_NAME_MAX];

        validator->report->ca_count = (unsigned)sk_X509_num(validator->pem->authorities);
        for (int i = 0; i < sk_X509_num(validator->pem->authorities); i++) {
                X509 *certificate = sk_X509_value(validator->pem->authorities, i);
                uint64_t not_after = x509_time_usec(X509_get0_notAfter(certificate));

                add_boundary(validator, not_after);
                if (i == 0 || not_after < validator->report->ca_not_after_usec)
                        validator->report->ca_not_after_usec = not_after;
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
        validate_signatures(&validator);
        if (!pem->authorities)
                return 0;
        validate_leaf(&validator, leaf);
        validate_path(&validator, leaf);
        return 0;
}
