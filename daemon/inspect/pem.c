#include "daemon/inspect/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/inspect/client-chain.h"
#include "daemon/inspect/foreign-format.h"
#include "daemon/inspect/pem-boundary.h"
#include "daemon/tls/x509.h"

#define BLOCKS_MAX 1000 /* certificates in a file; the RDS global bundle has about 120 */

/* One PEM file. */
typedef struct Source {
        MaterialFile file;
        const char *path;
        const char *closed; /* as of Snapshot */
        const Secret *content;
        Report *report;
} Source;

typedef struct Block {
        char *label;
        char *header;
        unsigned char *data;
        long size;
} Block;

#define SOURCE_ERROR(source, rule, ...) \
        report_add((source)->report, (source)->file, rule, SEVERITY_ERROR, __VA_ARGS__)

static void block_done(Block *block)
{
        OPENSSL_free(block->label);
        OPENSSL_free(block->header);
        OPENSSL_clear_free(block->data, block->size > 0 ? (size_t)block->size : 0);
        *block = (Block){0};
}

static void report_file_error(const Source *source, int error)
{
        switch (-error) {
        case ENOENT:
        case ENOTDIR:
                SOURCE_ERROR(source, RULE_FILE_MISSING, "%s: there is no such file", source->path);
                break;
        case EISDIR:
                SOURCE_ERROR(source, RULE_FILE_KIND, "%s: wanted a regular file, found a directory",
                        source->path);
                break;
        case ENXIO:
                SOURCE_ERROR(source, RULE_FILE_KIND,
                        "%s: wanted a regular file, found a FIFO, socket or device", source->path);
                break;
        case ELOOP:
                SOURCE_ERROR(source, RULE_FILE_KIND,
                        "%s: wanted a regular file, found symbolic links that lead in a circle",
                        source->path);
                break;
        case EFBIG:
                SOURCE_ERROR(source, RULE_FILE_SIZE, "%s: is larger than the %d bytes allowed",
                        source->path, SNAPSHOT_FILE_LIMIT);
                break;
        default:
                SOURCE_ERROR(source, RULE_FILE_UNREADABLE, "%s: cannot be %s: %s",
                        source->closed ? source->closed : source->path,
                        source->closed ? "entered" : "read", strerror(-error));
        }
}

/* Files joined of which the first had no line end. */
#define MEETING "----------BEGIN "

/* Returns 1: a block; 0: no more blocks; -1: a damaged one, reported. */
static int next_block(const Source *source, BIO *bio, Block *block)
{
        unsigned long error;

        if (PEM_read_bio(bio, &block->label, &block->header, &block->data, &block->size))
                return 1;
        error = ERR_peek_last_error();
        ERR_clear_error();
        if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
                return 0;
        if (memmem(source->content->data, source->content->size, MEETING, strlen(MEETING)))
                SOURCE_ERROR(source, RULE_PEM_MALFORMED,
                        "%s: two PEM blocks meet in one line (-----END ...----------BEGIN ...-----): "
                        "a line end is missing between the two",
                        source->path);
        else
                SOURCE_ERROR(source, RULE_PEM_MALFORMED,
                        "%s: a PEM block is cut short or damaged (%s)", source->path,
                        ERR_reason_error_string(error) ? ERR_reason_error_string(error) : "?");
        return -1;
}

/* Returns true if the content is another format, which is reported. */
static bool report_foreign(const Source *source, Rule rule)
{
        char text[PROBLEM_TEXT_MAX];

        if (!foreign_format_describe(text, sizeof(text), source->file, source->path,
                    source->content->data, source->content->size))
                return false;
        SOURCE_ERROR(source, rule, "%s: wanted PEM, found %s", source->path, text);
        return true;
}

/* No block of its kind was found. */
static void report_empty(const Source *source, const char *wanted)
{
        PemIgnored ignored;

        if (report_foreign(source, RULE_PEM_EMPTY))
                return;
        pem_boundary_find(&ignored, source->file, source->content->data, source->content->size);
        if (ignored.n > 0)
                SOURCE_ERROR(source, RULE_PEM_EMPTY, "%s: wanted %s, found none: line %u: %s",
                        source->path, wanted, ignored.line, ignored.reason);
        else
                SOURCE_ERROR(source, RULE_PEM_EMPTY, "%s: wanted %s, found none in %zu bytes",
                        source->path, wanted, source->content->size);
}

/* The file has blocks, and something beside them that may be one. */
static void report_ignored(const Source *source)
{
        PemIgnored ignored;
        char more[48] = "";

        pem_boundary_find(&ignored, source->file, source->content->data, source->content->size);
        if (ignored.n > 1)
                text_format(more, sizeof(more), ", the first of %u places", ignored.n);
        if (ignored.n > 0)
                report_add(source->report, source->file, RULE_PEM_IGNORED, SEVERITY_WARNING,
                        "%s: line %u is not read%s: %s", source->path, ignored.line, more,
                        ignored.reason);
}

static BIO *open_source(const Source *source)
{
        const char *data = source->content->data;
        size_t size = source->content->size;

        if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
                data += 3;
                size -= 3;
        }
        if (memchr(data, '\0', size)) {
                if (!report_foreign(source, RULE_PEM_MALFORMED))
                        SOURCE_ERROR(source, RULE_PEM_MALFORMED,
                                "%s: wanted text, found a NUL byte", source->path);
                return NULL;
        }
        return BIO_new_mem_buf(data, (int)size);
}

static STACK_OF(X509) * parse_certificates(const Source *source)
{
        STACK_OF(X509) *stack = sk_X509_new_null();
        BIO *bio = open_source(source);
        int found = -1;

        while (bio && stack) {
                CLEANUP(block_done) Block block = {0};
                const unsigned char *data;
                X509 *certificate;

                found = next_block(source, bio, &block);
                if (found <= 0)
                        break;
                if (strcmp(block.label, PEM_STRING_X509) != 0 &&
                        strcmp(block.label, PEM_STRING_X509_OLD) != 0)
                        continue; /* a key beside its certificate, say: other blocks are ignored */
                data = block.data;
                certificate = d2i_X509(NULL, &data, block.size);
                if (!certificate || data != block.data + block.size ||
                        sk_X509_num(stack) >= BLOCKS_MAX || sk_X509_push(stack, certificate) <= 0) {
                        X509_free(certificate);
                        SOURCE_ERROR(source, RULE_PEM_MALFORMED,
                                "%s: certificate %d of the file is not a valid X.509 certificate",
                                source->path, sk_X509_num(stack) + 1);
                        found = -1;
                        break;
                }
        }
        if (found == 0 && sk_X509_num(stack) == 0) {
                report_empty(source, "at least one BEGIN CERTIFICATE block");
                found = -1;
        } else if (found == 0)
                report_ignored(source);
        BIO_free(bio);
        ERR_clear_error();
        if (found == 0)
                return stack;
        sk_X509_pop_free(stack, X509_free);
        return NULL;
}

static bool is_key_label(const char *label)
{
        size_t length = strlen(label);

        return length >= 11 && strcmp(label + length - 11, "PRIVATE KEY") == 0;
}

static EVP_PKEY *decode_key(const Source *source, const Block *block)
{
        const unsigned char *data = block->data;
        EVP_PKEY *key;

        if (strcmp(block->label, PEM_STRING_PKCS8) == 0 || strstr(block->header, "ENCRYPTED")) {
                SOURCE_ERROR(source, RULE_KEY_ENCRYPTED,
                        "%s: wanted a key without passphrase, found an encrypted one",
                        source->path);
                return NULL;
        }
        if (strcmp(block->label, "OPENSSH PRIVATE KEY") == 0) {
                SOURCE_ERROR(source, RULE_PEM_MALFORMED,
                        "%s: wanted PKCS#8 or PKCS#1, found a key of OpenSSH; in a copy of it: "
                        "ssh-keygen -p -m PKCS8 -N \"\" -f COPY",
                        source->path);
                return NULL;
        }
        key = d2i_AutoPrivateKey(NULL, &data, block->size);
        if (key && data == block->data + block->size)
                return key;
        EVP_PKEY_free(key);
        SOURCE_ERROR(source, RULE_PEM_MALFORMED, "%s: the %s block does not hold a private key",
                source->path, block->label);
        return NULL;
}

static EVP_PKEY *parse_key(const Source *source)
{
        BIO *bio = open_source(source);
        EVP_PKEY *key = NULL;
        int found = -1;

        while (bio) {
                CLEANUP(block_done) Block block = {0};

                found = next_block(source, bio, &block);
                if (found <= 0)
                        break;
                if (!is_key_label(block.label))
                        continue;
                key = decode_key(source, &block);
                break;
        }
        if (bio && found == 0)
                report_empty(source, "a PRIVATE KEY block");
        BIO_free(bio);
        ERR_clear_error();
        return key;
}

void pem_done(Pem *pem)
{
        sk_X509_pop_free(pem->authorities, X509_free);
        sk_X509_pop_free(pem->chain, X509_free);
        EVP_PKEY_free(pem->key);
        *pem = PEM_NULL;
}

int pem_parse(Pem *ret, const Snapshot *snapshot, const char *const paths[], Report *report,
        uint64_t now_usec)
{
        Pem pem = PEM_NULL;

        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++) {
                Source source = {
                        .file = file,
                        .path = paths[file],
                        .closed = snapshot->closed[file],
                        .content = &snapshot->content[file],
                        .report = report,
                };

                if (snapshot->error[file] < 0) {
                        report_file_error(&source, snapshot->error[file]);
                        continue;
                }
                if (file == MATERIAL_CA)
                        pem.authorities = parse_certificates(&source);
                else if (file == MATERIAL_CERT)
                        pem.chain = parse_certificates(&source);
                else
                        pem.key = parse_key(&source);
        }
        /* No rule was violated, so an allocation failed. */
        if (!report->failed && (!pem.authorities || !pem.chain || !pem.key)) {
                pem_done(&pem);
                return -ENOMEM;
        }
        if (pem.chain)
                client_chain_order(&(ClientChain){pem.chain, pem.authorities, pem.key},
                        paths[MATERIAL_CERT], report, now_usec);
        *ret = pem;
        return 0;
}

/* There is no key; that of the first certificate is taken for it. */
static X509 *find_client(STACK_OF(X509) * stack, uint64_t now_usec)
{
        X509 *first = sk_X509_value(stack, 0);
        const ClientChain files = {.chain = stack, .key = X509_get0_pubkey(first)};
        int found = client_chain_find(&files, now_usec);

        return found < 0 ? first : sk_X509_value(stack, found);
}

int pem_read_sha256(char ret[REPORT_FINGERPRINT_MAX], const char *path, uint64_t now_usec,
        char *problem, size_t problem_size)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        CLEANUP(freep) Report *report = calloc(1, sizeof(*report));
        Source source = {
                .file = MATERIAL_CERT, .path = path, .content = &content, .report = report};
        STACK_OF(X509) *stack = NULL;
        int r = report ? file_read(&content, AT_FDCWD, path, SNAPSHOT_FILE_LIMIT) : -ENOMEM;

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                report_file_error(&source, r);
        else
                stack = parse_certificates(&source);
        if (stack)
                x509_sha256(ret, find_client(stack, now_usec));
        else
                text_set(problem, problem_size, report->problems[0].text);
        sk_X509_pop_free(stack, X509_free);
        return stack ? 0 : -EINVAL;
}
