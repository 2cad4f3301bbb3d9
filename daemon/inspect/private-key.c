#include "daemon/inspect/private-key.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "common/macro.h"

#define FACTORS_MAX     5 /* of OpenSSL's RSA */
#define NUMBER_NAME_MAX 32

DEFINE_CLEANUP(BN_CTX *, BN_CTX_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);

/* The numbers of an RSA key. The context owns them, and clears them when it is freed. */
typedef struct Rsa {
        const EVP_PKEY *key;
        BN_CTX *context;
        const BIGNUM *n, *e, *d;
        const BIGNUM *factors[FACTORS_MAX];
        unsigned n_factors;
} Rsa;

/* Returns NULL if the key has no number of this name. */
static const BIGNUM *load(const Rsa *rsa, const char *name)
{
        BIGNUM *number = BN_CTX_get(rsa->context);

        return number && EVP_PKEY_get_bn_param(rsa->key, name, &number) == 1 ? number : NULL;
}

/* The names of factors, CRT exponents and coefficients are numbered from 1 on. */
static const BIGNUM *load_numbered(const Rsa *rsa, const char *name, unsigned index)
{
        char numbered[NUMBER_NAME_MAX];

        (void)snprintf(numbered, sizeof(numbered), "%s%u", name, index);
        return load(rsa, numbered);
}

static bool is_exponent(const Rsa *rsa, const BIGNUM *number)
{
        return number && BN_cmp(number, BN_value_one()) > 0 && BN_cmp(number, rsa->n) < 0;
}

/* Returns true if the factors multiply to the modulus. */
static bool load_factors(Rsa *rsa)
{
        BIGNUM *product = BN_CTX_get(rsa->context);

        if (!product || !BN_one(product))
                return false;
        while (rsa->n_factors < FACTORS_MAX) {
                const BIGNUM *factor =
                        load_numbered(rsa, OSSL_PKEY_PARAM_RSA_FACTOR, rsa->n_factors + 1);

                if (!factor)
                        break;
                if (!BN_is_odd(factor) || BN_is_one(factor) || BN_cmp(factor, rsa->n) >= 0 ||
                        !BN_mul(product, product, factor, rsa->context))
                        return false;
                rsa->factors[rsa->n_factors++] = factor;
        }
        return BN_cmp(product, rsa->n) == 0;
}

/* Returns true if a * b = 1 modulo `modulus`. */
static bool is_inverse(const Rsa *rsa, const BIGNUM *a, const BIGNUM *b, const BIGNUM *modulus)
{
        BIGNUM *product = BN_CTX_get(rsa->context);

        return product && BN_mod_mul(product, a, b, modulus, rsa->context) && BN_is_one(product);
}

/* Checks what belongs to one factor. */
static const char *find_exponent_fault(const Rsa *rsa, unsigned i)
{
        const BIGNUM *exponent = load_numbered(rsa, OSSL_PKEY_PARAM_RSA_EXPONENT, i + 1);
        BIGNUM *less = BN_CTX_get(rsa->context), *remainder = BN_CTX_get(rsa->context);

        if (!remainder || !BN_sub(less, rsa->factors[i], BN_value_one()) ||
                !is_inverse(rsa, rsa->e, rsa->d, less))
                return "a private exponent (d) that does not invert the public one";
        if (!exponent || !BN_mod(remainder, rsa->d, less, rsa->context) ||
                BN_cmp(exponent, remainder) != 0)
                return "a CRT exponent (dmp1, dmq1) that does not follow from the private exponent";
        return NULL;
}

/* The coefficient of the second factor is its inverse modulo the first; that of a later one is the
 * inverse, modulo itself, of the product of those before it. */
static bool has_coefficients(const Rsa *rsa)
{
        BIGNUM *before = BN_CTX_get(rsa->context);

        if (!before || !BN_copy(before, rsa->factors[0]))
                return false;
        for (unsigned i = 1; i < rsa->n_factors; i++) {
                const BIGNUM *coefficient = load_numbered(rsa, OSSL_PKEY_PARAM_RSA_COEFFICIENT, i);
                const BIGNUM *inverted = i == 1 ? rsa->factors[1] : before;
                const BIGNUM *modulus = i == 1 ? rsa->factors[0] : rsa->factors[i];

                if (!coefficient || BN_cmp(coefficient, modulus) >= 0 ||
                        !is_inverse(rsa, coefficient, inverted, modulus) ||
                        !BN_mul(before, before, rsa->factors[i], rsa->context))
                        return false;
        }
        return true;
}

static const char *find_number_fault(Rsa *rsa)
{
        const char *fault = NULL;

        rsa->n = load(rsa, OSSL_PKEY_PARAM_RSA_N);
        rsa->e = load(rsa, OSSL_PKEY_PARAM_RSA_E);
        rsa->d = load(rsa, OSSL_PKEY_PARAM_RSA_D);
        if (!rsa->n || !is_exponent(rsa, rsa->e) || !is_exponent(rsa, rsa->d))
                return "an exponent (e, d) that is not between 1 and the modulus";
        if (!load_factors(rsa))
                return "primes (p, q) that are not the factors of the modulus";
        for (unsigned i = 0; !fault && i < rsa->n_factors; i++)
                fault = find_exponent_fault(rsa, i);
        if (fault)
                return fault;
        return has_coefficients(rsa) ? NULL : "a CRT coefficient (iqmp) that is not an inverse";
}

static bool can_sign(EVP_PKEY *key, EVP_PKEY *certified)
{
        static const unsigned char text[] = "binlog-ssld";
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *signer = EVP_MD_CTX_new();
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *verifier = EVP_MD_CTX_new();
        unsigned char signature[OPENSSL_RSA_MAX_MODULUS_BITS / 8];
        size_t size = sizeof(signature);

        return signer && verifier &&
                EVP_DigestSignInit(signer, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(signer, signature, &size, text, sizeof(text)) == 1 &&
                EVP_DigestVerifyInit(verifier, NULL, EVP_sha256(), NULL, certified) == 1 &&
                EVP_DigestVerify(verifier, signature, size, text, sizeof(text)) == 1;
}

static const char *find_rsa_fault(EVP_PKEY *key, EVP_PKEY *certified)
{
        CLEANUP(BN_CTX_freep) BN_CTX *context = BN_CTX_secure_new();
        Rsa rsa = {.key = key, .context = context};
        const char *fault;

        if (!context)
                return "no numbers";
        BN_CTX_start(context);
        fault = find_number_fault(&rsa);
        BN_CTX_end(context);
        if (fault)
                return fault;
        return can_sign(key, certified) ? NULL : "a signature that the certificate does not verify";
}

/* An RSA key whose type could not be read for want of memory comes here too, and is checked. */
static const char *find_other_fault(EVP_PKEY *key)
{
        CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);

        return context && EVP_PKEY_check(context) == 1
                ? NULL
                : "a scalar that does not give the public point";
}

/* Empties OpenSSL's queue of errors. */
static bool lacked_memory(void)
{
        bool lacked = false;

        for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error())
                lacked = lacked || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
        return lacked;
}

int private_key_check(const char **ret_fault, EVP_PKEY *key, EVP_PKEY *certified)
{
        const char *fault;

        ERR_clear_error();
        fault = EVP_PKEY_is_a(key, "RSA") ? find_rsa_fault(key, certified) : find_other_fault(key);
        /* A computation that failed for want of memory has found no fault. */
        if (lacked_memory() && fault)
                return -ENOMEM;
        *ret_fault = fault;
        return 0;
}
