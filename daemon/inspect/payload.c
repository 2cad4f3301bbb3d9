#include "daemon/inspect/payload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "common/macro.h"
#include "common/text.h"

typedef struct Der {
        unsigned char *data;
        int size;
} Der;

static int der_compare(const void *a, const void *b)
{
        const Der *first = a, *second = b;

        if (first->size != second->size)
                return first->size < second->size ? -1 : 1;
        return memcmp(first->data, second->data, (size_t)first->size);
}

static bool is_repeated(const Der *certificates, int index)
{
        for (int i = 0; i < index; i++)
                if (der_compare(&certificates[i], &certificates[index]) == 0)
                        return true;
        return false;
}

static bool digest_stack(
        EVP_MD_CTX *context, const char *label, STACK_OF(X509) * stack, bool distinct, bool sorted)
{
        int n = sk_X509_num(stack);
        Der *certificates = calloc((size_t)n + 1, sizeof(*certificates));
        bool good = certificates && EVP_DigestUpdate(context, label, strlen(label) + 1) == 1;

        for (int i = 0; good && i < n; i++) {
                certificates[i].size = i2d_X509(sk_X509_value(stack, i), &certificates[i].data);
                good = certificates[i].size > 0;
        }
        if (good && sorted)
                qsort(certificates, (size_t)n, sizeof(*certificates), der_compare);
        for (int i = 0; good && i < n; i++)
                good = (distinct && is_repeated(certificates, i)) ||
                        EVP_DigestUpdate(
                                context, certificates[i].data, (size_t)certificates[i].size) == 1;
        for (int i = 0; certificates && i < n; i++)
                OPENSSL_free(certificates[i].data);
        free(certificates);
        return good;
}

static int fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Pem *pem, bool legacy)
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        bool good;

        /* With labels a certificate that moves from one file to the other changes the digest. */
        good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                digest_stack(context, "ca", pem->authorities, !legacy, !legacy) &&
                digest_stack(context, "cert", pem->chain, !legacy, false) &&
                EVP_DigestFinal_ex(context, digest, &size) == 1;
        EVP_MD_CTX_free(context);
        if (!good)
                return -ENOMEM;
        text_hex(ret, digest, size);
        return 0;
}

int payload_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Pem *pem)
{
        return fingerprint(ret, pem, false);
}

int payload_legacy_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Pem *pem)
{
        return fingerprint(ret, pem, true);
}

/* In their order, each once. */
static bool write_certificates(BIO *bio, STACK_OF(X509) * stack)
{
        for (int i = 0; i < sk_X509_num(stack); i++) {
                X509 *certificate = sk_X509_value(stack, i);
                bool repeated = false;

                for (int k = 0; k < i && !repeated; k++)
                        repeated = X509_cmp(sk_X509_value(stack, k), certificate) == 0;
                if (!repeated && !PEM_write_bio_X509(bio, certificate))
                        return false;
        }
        return true;
}

/* PEM is letters, digits, + / = - and blanks: JSON escapes only its line ends. */
static int append_pem(Secret *payload, const char *name, BIO *bio)
{
        char *text;
        long length = BIO_get_mem_data(bio, &text);
        int r = secret_append(payload, name, strlen(name));

        for (long i = 0; r == 0 && i < length; i++)
                r = text[i] == '\n' ? secret_append(payload, "\\n", 2)
                                    : secret_append(payload, text + i, 1);
        return r;
}

int payload_build(Secret *ret, const Pem *pem)
{
        CLEANUP(secret_done) Secret payload = SECRET_NULL;
        BIO *authorities = BIO_new(BIO_s_mem());
        BIO *chain = BIO_new(BIO_s_mem());
        BIO *key = BIO_new(BIO_s_secmem());
        int r = -ENOMEM;

        if (authorities && chain && key && write_certificates(authorities, pem->authorities) &&
                write_certificates(chain, pem->chain) &&
                PEM_write_bio_PrivateKey_traditional(key, pem->key, NULL, NULL, 0, NULL, NULL))
                r = append_pem(&payload, "{\"ssl_ca\":\"", authorities);
        if (r == 0)
                r = append_pem(&payload, "\",\"ssl_cert\":\"", chain);
        if (r == 0)
                r = append_pem(&payload, "\",\"ssl_key\":\"", key);
        if (r == 0)
                r = secret_append(&payload, "\"}", 2);
        BIO_free(authorities);
        BIO_free(chain);
        BIO_free(key);
        if (r < 0)
                return r;
        *ret = payload;
        payload = SECRET_NULL;
        return 0;
}
