#include "daemon/payload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "common/macro.h"

static bool digest_stack(EVP_MD_CTX *context, const char *label, STACK_OF(X509) * stack)
{
        bool good = EVP_DigestUpdate(context, label, strlen(label) + 1) == 1;

        for (int i = 0; good && i < sk_X509_num(stack); i++) {
                unsigned char *der = NULL;
                int size = i2d_X509(sk_X509_value(stack, i), &der);

                good = size > 0 && EVP_DigestUpdate(context, der, (size_t)size) == 1;
                OPENSSL_free(der);
        }
        return good;
}

int payload_fingerprint(char ret[REPORT_FINGERPRINT_MAX], const Identity *identity)
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        bool good;

        /* The labels keep a certificate that moves from one file to the other from going unseen. */
        good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                digest_stack(context, "ca", identity->authorities) &&
                digest_stack(context, "cert", identity->chain) &&
                EVP_DigestFinal_ex(context, digest, &size) == 1;
        EVP_MD_CTX_free(context);
        if (!good)
                return -ENOMEM;
        for (unsigned i = 0; i < size; i++)
                snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return 0;
}

static bool write_certificates(BIO *bio, STACK_OF(X509) * stack)
{
        for (int i = 0; i < sk_X509_num(stack); i++)
                if (!PEM_write_bio_X509(bio, sk_X509_value(stack, i)))
                        return false;
        return true;
}

/* PEM is letters, digits, + / = - and blanks: of all that JSON escapes, only line ends occur. */
static int append_pem(Secret *payload, const char *name, BIO *bio)
{
        char *text;
        long length = BIO_get_mem_data(bio, &text);
        int r;

        r = secret_append(payload, name, strlen(name));
        while (r == 0 && length > 0) {
                char *end = memchr(text, '\n', (size_t)length);
                size_t size = end ? (size_t)(end - text) : (size_t)length;

                r = secret_append(payload, text, size);
                if (r == 0 && end)
                        r = secret_append(payload, "\\n", 2);
                size += end ? 1 : 0;
                text += size;
                length -= (long)size;
        }
        return r;
}

int payload_build(Secret *ret, const Identity *identity)
{
        CLEANUP(secret_done) Secret payload = SECRET_NULL;
        BIO *authorities = BIO_new(BIO_s_mem());
        BIO *chain = BIO_new(BIO_s_mem());
        BIO *key = BIO_new(BIO_s_secmem());
        int r = -ENOMEM;

        if (authorities && chain && key && write_certificates(authorities, identity->authorities) &&
                write_certificates(chain, identity->chain) &&
                PEM_write_bio_PrivateKey_traditional(key, identity->key, NULL, NULL, 0, NULL, NULL))
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

int payload_to_raw(Secret *ret, const char *strict, size_t size)
{
        CLEANUP(secret_done) Secret raw = SECRET_NULL;
        int r = secret_allocate(&raw, size);

        if (r < 0)
                return r;
        for (size_t i = 0; i < size; i++) {
                bool escape = strict[i] == '\\' && i + 1 < size && strict[i + 1] == 'n';

                raw.data[raw.size++] = escape ? '\n' : strict[i];
                i += escape ? 1 : 0;
        }
        *ret = raw;
        raw = SECRET_NULL;
        return 0;
}

size_t payload_key_offset(const char *strict, size_t size)
{
        static const char name[] = "\"ssl_key\"";
        const char *found = memmem(strict, size, name, strlen(name));
        size_t offset = 0;

        for (const char *byte = strict; found && byte < found; byte++)
                offset += *byte == '\\' ? 0 : 1; /* the n behind it is the line end */
        return offset;
}
