#include "tests/pki/set.h"

/* The fixtures about the numbers of an RSA key, under a certificate that has its public half. */

#include <stdbool.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/pki/failure.h"
#include "tests/pki/sequence.h"

/* The parts of an RSAPrivateKey (RFC 8017, A.1.2), by OpenSSL's names. */
typedef enum Place {
        PLACE_VERSION,
        PLACE_N,
        PLACE_E,
        PLACE_D,
        PLACE_P,
        PLACE_Q,
        PLACE_DMP1,
        PLACE_DMQ1,
        PLACE_IQMP,
        PLACE_OTHERS, /* only with more than two primes */
        _PLACE_MAX = PLACE_OTHERS,
} Place;

/* The parts of an OtherPrimeInfo. */
enum { OTHER_EXPONENT = 1, OTHER_COEFFICIENT };

DEFINE_CLEANUP(BN_CTX *, BN_CTX_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

static Sequence *client_key(const Set *set)
{
        return sequence_new(set->authority->client_key);
}

static void write_key(Set *set, const Sequence *key)
{
        sequence_write_pkcs8(key, set, NID_undef);
}

/* Odd numbers stay odd. */
static void add_two(Sequence *sequence, int place)
{
        CLEANUP(BN_freep) BIGNUM *value = sequence_number(sequence, place);

        MUST(BN_add_word(value, 2));
        sequence_set_number(sequence, place, value);
}

static void copy_number(Sequence *to, Place to_place, const Sequence *from, Place place)
{
        CLEANUP(BN_freep) BIGNUM *value = sequence_number(from, place);

        sequence_set_number(to, to_place, value);
}

static void damage(Set *set, Place place)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        add_two(key, place);
        write_key(set, key);
}

static void other_n(Set *set)
{
        damage(set, PLACE_N);
}

static void other_e(Set *set)
{
        damage(set, PLACE_E);
}

static void bad_d(Set *set)
{
        damage(set, PLACE_D);
}

static void bad_p(Set *set)
{
        damage(set, PLACE_P);
}

static void bad_q(Set *set)
{
        damage(set, PLACE_Q);
}

static void bad_dmp1(Set *set)
{
        damage(set, PLACE_DMP1);
}

static void bad_dmq1(Set *set)
{
        damage(set, PLACE_DMQ1);
}

static void bad_iqmp(Set *set)
{
        damage(set, PLACE_IQMP);
}

/* An inverse, but RFC 8017, 3.2, requires that it is less than p. */
static void iqmp_above_p(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);
        CLEANUP(BN_freep) BIGNUM *p = sequence_number(key, PLACE_P);
        CLEANUP(BN_freep) BIGNUM *iqmp = sequence_number(key, PLACE_IQMP);

        MUST(BN_add(iqmp, iqmp, p));
        sequence_set_number(key, PLACE_IQMP, iqmp);
        write_key(set, key);
}

static void bad_d_pkcs1(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        add_two(key, PLACE_D);
        sequence_write_traditional(key, set, PEM_STRING_RSA);
}

static void d_is_zero(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        sequence_set_word(key, PLACE_D, 0);
        write_key(set, key);
}

/* Some parsers read a negative number as a large one. */
static void d_is_negative(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);
        CLEANUP(BN_freep) BIGNUM *d = sequence_number(key, PLACE_D);

        BN_set_negative(d, 1);
        sequence_set_number(key, PLACE_D, d);
        write_key(set, key);
}

/* A key of modulus and exponents alone, as some tools write it. */
static void without_primes(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        for (Place place = PLACE_P; place < _PLACE_MAX; place++)
                sequence_set_word(key, place, 0);
        write_key(set, key);
}

static void p_is_even(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        sequence_set_word(key, PLACE_P, 2);
        write_key(set, key);
}

/* One times the modulus is the modulus. */
static void trivial_primes(Set *set, Place one, Place all)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        sequence_set_word(key, one, 1);
        copy_number(key, all, key, PLACE_N);
        write_key(set, key);
}

static void p_is_one(Set *set)
{
        trivial_primes(set, PLACE_P, PLACE_Q);
}

static void q_is_one(Set *set)
{
        trivial_primes(set, PLACE_Q, PLACE_P);
}

/* A whole private half, but that of another modulus. */
static void numbers_of_another(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);
        CLEANUP(sequence_freep) Sequence *other = sequence_new(set->authority->other_client_key);

        for (Place place = PLACE_D; place < _PLACE_MAX; place++)
                copy_number(key, place, other, place);
        write_key(set, key);
}

static void exchange_primes(Sequence *key)
{
        CLEANUP(BN_freep) BIGNUM *p = sequence_number(key, PLACE_P);
        CLEANUP(BN_freep) BIGNUM *q = sequence_number(key, PLACE_Q);

        sequence_set_number(key, PLACE_P, q);
        sequence_set_number(key, PLACE_Q, p);
}

/* The primes change places, and the numbers that follow from them do not. */
static void primes_exchanged(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        exchange_primes(key);
        write_key(set, key);
}

typedef enum Modulus {
        MODULUS_LAMBDA, /* the least common multiple of p - 1 and q - 1 */
        MODULUS_PHI,    /* their product */
} Modulus;

static BIGNUM *order_of(const BIGNUM *p, const BIGNUM *q, Modulus modulus, BN_CTX *context)
{
        CLEANUP(BN_freep) BIGNUM *p1 = BN_dup(p), *q1 = BN_dup(q), *common = BN_new();
        BIGNUM *order = BN_new();

        MUST(p1 && q1 && common && order);
        MUST(BN_sub_word(p1, 1) && BN_sub_word(q1, 1) && BN_mul(order, p1, q1, context));
        MUST(BN_gcd(common, p1, q1, context));
        if (modulus == MODULUS_LAMBDA)
                MUST(BN_div(order, NULL, order, common, context));
        return order;
}

static void set_crt_exponent(
        Sequence *key, Place place, const BIGNUM *d, const BIGNUM *prime, BN_CTX *context)
{
        CLEANUP(BN_freep) BIGNUM *less = BN_dup(prime), *exponent = BN_new();

        MUST(less && exponent && BN_sub_word(less, 1) && BN_mod(exponent, d, less, context));
        sequence_set_number(key, place, exponent);
}

/* Sets the primes, and the numbers that follow from them and e. Returns false if e has no
 * inverse. */
static bool set_primes(Sequence *key, const BIGNUM *p, const BIGNUM *q, Modulus modulus)
{
        CLEANUP(BN_CTX_freep) BN_CTX *context = BN_CTX_new();
        CLEANUP(BN_freep) BIGNUM *e = sequence_number(key, PLACE_E);
        CLEANUP(BN_freep) BIGNUM *order = order_of(p, q, modulus, context);
        CLEANUP(BN_freep) BIGNUM *iqmp = BN_mod_inverse(NULL, q, p, context);
        CLEANUP(BN_freep) BIGNUM *d = BN_mod_inverse(NULL, e, order, context);

        MUST(context && iqmp);
        if (!d)
                return false;
        sequence_set_number(key, PLACE_D, d);
        sequence_set_number(key, PLACE_P, p);
        sequence_set_number(key, PLACE_Q, q);
        set_crt_exponent(key, PLACE_DMP1, d, p, context);
        set_crt_exponent(key, PLACE_DMQ1, d, q, context);
        sequence_set_number(key, PLACE_IQMP, iqmp);
        return true;
}

static void write_primes(Set *set, Place first, Place second, Modulus modulus)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);
        CLEANUP(BN_freep) BIGNUM *p = sequence_number(key, first);
        CLEANUP(BN_freep) BIGNUM *q = sequence_number(key, second);

        MUST(set_primes(key, p, q, modulus));
        write_key(set, key);
}

static void d_modulo_lambda(Set *set)
{
        write_primes(set, PLACE_P, PLACE_Q, MODULUS_LAMBDA);
}

static void d_modulo_phi(Set *set)
{
        write_primes(set, PLACE_P, PLACE_Q, MODULUS_PHI);
}

static void smaller_prime_first(Set *set)
{
        write_primes(set, PLACE_Q, PLACE_P, MODULUS_LAMBDA);
}

/* It inverts e all the same, but RFC 8017, 3.2, requires that it is less than n. */
static void d_above_n(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);
        CLEANUP(BN_CTX_freep) BN_CTX *context = BN_CTX_new();
        CLEANUP(BN_freep) BIGNUM *p = sequence_number(key, PLACE_P);
        CLEANUP(BN_freep) BIGNUM *q = sequence_number(key, PLACE_Q);
        CLEANUP(BN_freep) BIGNUM *d = sequence_number(key, PLACE_D);
        CLEANUP(BN_freep) BIGNUM *phi = order_of(p, q, MODULUS_PHI, context);

        MUST(BN_add(d, d, phi) && BN_add(d, d, phi));
        sequence_set_number(key, PLACE_D, d);
        write_key(set, key);
}

static void certify(Set *set, EVP_PKEY *key)
{
        Request request = authority_client_request(set->authority);

        request.key = key;
        set_replace(set, MATERIAL_CERT, &request);
        set_replace_key(set, key, KEY_FORM_PKCS8);
}

/* A set of a key whose public half is as bad as its private one. */
static void certify_numbers(Set *set, const Sequence *numbers)
{
        CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = sequence_to_key(numbers);

        certify(set, key);
}

/* It signs and verifies, for what is signed is the signature. */
static void e_is_one(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);

        sequence_set_word(key, PLACE_E, 1);
        sequence_set_word(key, PLACE_D, 1);
        sequence_set_word(key, PLACE_DMP1, 1);
        sequence_set_word(key, PLACE_DMQ1, 1);
        certify_numbers(set, key);
}

/* Every equation holds, with one even factor. */
static void n_is_even(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);
        CLEANUP(BN_CTX_freep) BN_CTX *context = BN_CTX_new();
        CLEANUP(BN_freep) BIGNUM *n = BN_new(), *p = sequence_number(key, PLACE_P);
        CLEANUP(BN_freep) BIGNUM *q = sequence_number(key, PLACE_Q);

        MUST(context && n && BN_sub_word(p, 1));
        while (!set_primes(key, p, q, MODULUS_LAMBDA))
                MUST(BN_sub_word(p, 2));
        MUST(BN_mul(n, p, q, context));
        sequence_set_number(key, PLACE_N, n);
        certify_numbers(set, key);
}

/* OpenSSL verifies no signature with such a modulus. */
static void n_is_long(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = client_key(set);
        CLEANUP(BN_freep) BIGNUM *n = sequence_number(key, PLACE_N);

        MUST(BN_lshift(n, n, OPENSSL_RSA_MAX_MODULUS_BITS + 1 - BN_num_bits(n)) &&
                BN_set_bit(n, 0));
        sequence_set_number(key, PLACE_N, n);
        certify_numbers(set, key);
}

static void three_primes(Set *set)
{
        certify(set, set->authority->three_primes_key);
}

static void damage_third_prime(Set *set, int place)
{
        CLEANUP(sequence_freep) Sequence *key = sequence_new(set->authority->three_primes_key);
        CLEANUP(sequence_freep)
        Sequence *others = sequence_parse(sequence_string(key, PLACE_OTHERS));
        CLEANUP(sequence_freep) Sequence *third = sequence_parse(sequence_string(others, 0));

        add_two(third, place);
        sequence_encode(sequence_string(others, 0), third);
        sequence_encode(sequence_string(key, PLACE_OTHERS), others);
        three_primes(set);
        write_key(set, key);
}

static void bad_third_exponent(Set *set)
{
        damage_third_prime(set, OTHER_EXPONENT);
}

static void bad_third_coefficient(Set *set)
{
        damage_third_prime(set, OTHER_COEFFICIENT);
}

/* Two factors of a modulus of three primes: every equation holds, but one factor is no prime, and
 * the key does not sign. */
static void composite_prime(Set *set)
{
        CLEANUP(sequence_freep) Sequence *key = sequence_new(set->authority->three_primes_key);
        CLEANUP(BN_CTX_freep) BN_CTX *context = BN_CTX_new();
        CLEANUP(BN_freep) BIGNUM *n = sequence_number(key, PLACE_N), *rest = BN_new();
        CLEANUP(BN_freep) BIGNUM *p = sequence_number(key, PLACE_P);
        CLEANUP(BN_freep) BIGNUM *q = sequence_number(key, PLACE_Q);

        sequence_remove(key, PLACE_OTHERS);
        sequence_set_word(key, PLACE_VERSION, 0);
        MUST(context && rest && BN_div(rest, NULL, n, p, context));
        if (!set_primes(key, p, rest, MODULUS_LAMBDA)) {
                /* Once in 65537 builds e divides what is left of p. */
                MUST(BN_div(rest, NULL, n, q, context));
                MUST(set_primes(key, q, rest, MODULUS_LAMBDA));
        }
        three_primes(set);
        write_key(set, key);
}

const Fixture rsa_fixtures[] = {
        {"good-d-modulo-lambda", "-", d_modulo_lambda},
        {"good-d-modulo-phi", "-", d_modulo_phi},
        {"good-smaller-prime-first", "-", smaller_prime_first},
        {"good-three-primes", "-", three_primes},
        {"key-bits-long", "key-bits/key/error", n_is_long},
        {"key-mismatch-n", "key-mismatch/key/error", other_n},
        {"key-mismatch-e", "key-mismatch/key/error", other_e},
        {"key-damaged-d", "key-damaged/key/error", bad_d},
        {"key-damaged-d-pkcs1", "key-damaged/key/error", bad_d_pkcs1},
        {"key-damaged-d-zero", "key-damaged/key/error", d_is_zero},
        {"key-damaged-d-negative", "key-damaged/key/error", d_is_negative},
        {"key-damaged-e-one", "key-damaged/key/error", e_is_one},
        {"key-damaged-n-even", "key-damaged/key/error", n_is_even},
        {"key-damaged-d-above-n", "key-damaged/key/error", d_above_n},
        {"key-damaged-p", "key-damaged/key/error", bad_p},
        {"key-damaged-q", "key-damaged/key/error", bad_q},
        {"key-damaged-p-even", "key-damaged/key/error", p_is_even},
        {"key-damaged-p-one", "key-damaged/key/error", p_is_one},
        {"key-damaged-q-one", "key-damaged/key/error", q_is_one},
        {"key-damaged-primes-zero", "key-damaged/key/error", without_primes},
        {"key-damaged-primes-exchanged", "key-damaged/key/error", primes_exchanged},
        {"key-damaged-prime-composite", "key-damaged/key/error", composite_prime},
        {"key-damaged-dmp1", "key-damaged/key/error", bad_dmp1},
        {"key-damaged-dmq1", "key-damaged/key/error", bad_dmq1},
        {"key-damaged-iqmp", "key-damaged/key/error", bad_iqmp},
        {"key-damaged-iqmp-above-p", "key-damaged/key/error", iqmp_above_p},
        {"key-damaged-third-exponent", "key-damaged/key/error", bad_third_exponent},
        {"key-damaged-third-coefficient", "key-damaged/key/error", bad_third_coefficient},
        {"key-damaged-other", "key-damaged/key/error", numbers_of_another},
        {.name = NULL},
};
