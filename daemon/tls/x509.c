#include "daemon/tls/x509.h"

#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/text.h"

void x509_sha256(char ret[REPORT_FINGERPRINT_MAX], X509 *certificate)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;

        if (!X509_digest(certificate, EVP_sha256(), digest, &size))
                size = 0;
        text_hex(ret, digest, size);
}

void x509_name_text(char *buffer, size_t size, const X509_NAME *name)
{
        BIO *bio = BIO_new(BIO_s_mem());
        char *text;
        long length;

        buffer[0] = '\0';
        if (!bio)
                return;
        if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
                length = BIO_get_mem_data(bio, &text);
                text_copy(buffer, size, text, length > 0 ? (size_t)length : 0);
        }
        BIO_free(bio);
}

uint64_t x509_time_usec(const ASN1_TIME *time)
{
        struct tm parts;
        time_t seconds;

        if (!ASN1_TIME_to_tm(time, &parts))
                return 0;
        seconds = timegm(&parts);
        return seconds > 0 ? (uint64_t)seconds * USEC_PER_SEC : CLOCK_BEFORE_1970;
}

const char *x509_time_text(char *buffer, const ASN1_TIME *time)
{
        struct tm parts;

        if (!ASN1_TIME_to_tm(time, &parts) ||
                strftime(buffer, CLOCK_TEXT_SIZE, CLOCK_TIME_PATTERN, &parts) == 0)
                text_set(buffer, CLOCK_TEXT_SIZE, "an invalid time");
        return buffer;
}

static void serial_text(char *buffer, size_t size, X509 *certificate)
{
        BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
        char *text = number ? BN_bn2hex(number) : NULL;

        text_set(buffer, size, text);
        OPENSSL_free(text);
        BN_free(number);
}

const char *x509_key_type_text(const EVP_PKEY *key)
{
        if (EVP_PKEY_is_a(key, "RSA"))
                return "rsa";
        if (EVP_PKEY_is_a(key, "EC"))
                return "ec";
        return EVP_PKEY_get0_type_name(key) ? EVP_PKEY_get0_type_name(key) : "unknown";
}

void x509_describe(Certificate *ret, X509 *certificate)
{
        const EVP_PKEY *key = X509_get0_pubkey(certificate);

        x509_name_text(ret->subject, sizeof(ret->subject), X509_get_subject_name(certificate));
        x509_name_text(ret->issuer, sizeof(ret->issuer), X509_get_issuer_name(certificate));
        serial_text(ret->serial, sizeof(ret->serial), certificate);
        x509_sha256(ret->sha256, certificate);
        text_set(ret->key_type, sizeof(ret->key_type), key ? x509_key_type_text(key) : "unknown");
        ret->key_bits = key ? (unsigned)EVP_PKEY_get_bits(key) : 0;
        ret->not_before_usec = x509_time_usec(X509_get0_notBefore(certificate));
        ret->not_after_usec = x509_time_usec(X509_get0_notAfter(certificate));
}

bool x509_stack_contains(const STACK_OF(X509) * stack, const X509 *certificate)
{
        for (int i = 0; stack && i < sk_X509_num(stack); i++)
                if (X509_cmp(sk_X509_value(stack, i), certificate) == 0)
                        return true;
        return false;
}
