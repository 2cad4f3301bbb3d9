#include "daemon/inspect/foreign-format.h"

#include <string.h>

#include "common/text.h"

#define HEAD     64 /* bytes of DER in which the type of a container stands */
#define WORD_MAX 128

#define BASE64_OF_BEGIN "LS0tLS1CRUdJTi" /* -----BEGIN */

static bool has(const char *data, size_t size, const char *what, size_t length)
{
        return memmem(data, size, what, length) != NULL;
}

#define HAS(data, size, literal) has(data, size, literal, sizeof(literal) - 1)

/* A SEQUENCE with a long length (X.690, 8.1.3.5). PKCS#12 begins with the version 3 (RFC 7292, 4),
 * PKCS#7 with the OID of signedData (RFC 2315, 14). */
static const char *binary_format(MaterialFile file, const char *data, size_t size)
{
        size_t head = size < HEAD ? size : HEAD;

        if (size < 4 || data[0] != 0x30 || (data[1] & 0x80) == 0)
                return NULL;
        if (HAS(data, head, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02") &&
                !HAS(data, head, "\x02\x01\x03\x30"))
                return "PKCS#7 in DER; openssl pkcs7 -inform DER -in IN -print_certs -out OUT";
        if (HAS(data, head, "\x02\x01\x03\x30"))
                return file == MATERIAL_KEY
                        ? "PKCS#12; openssl pkcs12 -in IN -nocerts -noenc -out OUT"
                        : "PKCS#12; openssl pkcs12 -in IN -nokeys -out OUT";
        return file == MATERIAL_KEY ? "DER; openssl pkey -inform DER -in IN -out OUT"
                                    : "DER; openssl x509 -inform DER -in IN -out OUT";
}

static const char *format_of(MaterialFile file, const char *data, size_t size)
{
        const char *binary;

        if (size >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0))
                return "UTF-16 text; iconv -f UTF-16 -t UTF-8 -o OUT IN";
        binary = binary_format(file, data, size);
        if (binary)
                return binary;
        if (HAS(data, size, "$ANSIBLE_VAULT;"))
                return "a file encrypted by Ansible Vault; ansible-vault decrypt --output OUT IN";
        if (size >= strlen(BASE64_OF_BEGIN) &&
                memcmp(data, BASE64_OF_BEGIN, strlen(BASE64_OF_BEGIN)) == 0)
                return "base64 of a PEM file, as a Secret of Kubernetes holds it; base64 -d IN > OUT";
        if (HAS(data, size, "-----BEGIN PKCS7-----"))
                return "PKCS#7; openssl pkcs7 -in IN -print_certs -out OUT";
        if (HAS(data, size, "-----\\n"))
                return "one line with \\n in place of line ends; sed 's/\\\\n/\\n/g' IN > OUT";
        if (HAS(data, size, "CERTIFICATE REQUEST-----"))
                return "a request, which a CA has not signed yet; write the certificate";
        if (file == MATERIAL_KEY && HAS(data, size, "-----BEGIN CERTIFICATE-----"))
                return "a certificate; cert and key are exchanged, or the key is not written";
        if (file != MATERIAL_KEY && HAS(data, size, "PRIVATE KEY-----"))
                return "a private key; cert and key are exchanged, or the certificate is missing";
        return NULL;
}

bool foreign_format_describe(char *buffer, size_t buffer_size, MaterialFile file, const char *path,
        const char *data, size_t size)
{
        const char *text = format_of(file, data, size), *in = text ? strstr(text, " IN") : NULL;
        char word[WORD_MAX];

        if (in && text_quote(word, sizeof(word), path))
                text_format(buffer, buffer_size, "%.*s %s%s", (int)(in - text), text, word,
                        in + strlen(" IN"));
        else
                text_set(buffer, buffer_size, text);
        return text != NULL;
}
