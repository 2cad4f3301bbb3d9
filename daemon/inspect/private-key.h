#pragma once

/*
 * Private key: verifies that the private half of a key is that of its public half.
 *
 * A parser accepts numbers that do not belong together, and OpenSSL then signs with what is left of
 * them: a damaged CRT value is hidden by the private exponent, and other programs fail. So each
 * number is checked, and the key must sign.
 *
 * RSA (RFC 8017, 3.2; more than two primes included): the odd factors, all above 1, multiply to n;
 * e and d are between 1 and n, and e * d = 1 modulo each factor minus 1, which holds for d modulo
 * lambda(n) and modulo phi(n); each CRT exponent and coefficient has its one value; a signature is
 * verified with the certificate. Whether the factors are prime is not tested: EVP_PKEY_check()
 * needs 35 ms for that with 2048 bits and 250 ms with 4096, this module 0.6 and 5 ms. The modulus
 * is the certificate's. If it has as many primes as the key has factors, the factors are its
 * primes, since there is one factorisation. If it has more, the signature is a Fermat test of each
 * factor.
 *
 * EC: EVP_PKEY_check(), which multiplies the base point by the scalar.
 *
 * So all keys that pass with one certificate compute the same function, and a key that passes takes
 * nothing from an import of another. Nothing of the key is in the result, and the numbers are
 * cleared before the return.
 */

#include <openssl/evp.h>

/* `certified` is the key of the certificate, with which the caller compares the public half. `key`
 * has at most OPENSSL_RSA_MAX_MODULUS_BITS. Returns 0, and in `ret_fault` NULL or a constant text:
 * what was found in place of a whole key; or -ENOMEM. */
int private_key_check(const char **ret_fault, EVP_PKEY *key, EVP_PKEY *certified);
