#include "tests/pki/set.h"

/*
 * An earlier run may have left entries, a directory or a FIFO for instance. So each entry is
 * removed first, and only files created by the same call are opened.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>

#include "tests/pki/failure.h"

#define PASSPHRASE "not the empty one"

DEFINE_CLEANUP(OSSL_ENCODER_CTX *, OSSL_ENCODER_CTX_free);

static const char *const file_names[_MATERIAL_FILE_MAX] = {
        [MATERIAL_CA] = "ca.pem",
        [MATERIAL_CERT] = "client-cert.pem",
        [MATERIAL_KEY] = "client-key.pem",
};

void set_clear(Set *set, MaterialFile file)
{
        free(set->files[file].text);
        set->files[file].text = NULL;
        set->files[file].size = 0;
}

void set_add_bytes(Set *set, MaterialFile file, const void *bytes, size_t size)
{
        File *target = &set->files[file];
        char *text = realloc(target->text, target->size + size + 1);

        MUST(text);
        memcpy(text + target->size, bytes, size);
        target->text = text;
        target->size += size;
        target->text[target->size] = '\0';
}

void set_add_text(Set *set, MaterialFile file, const char *text)
{
        set_add_bytes(set, file, text, strlen(text));
}

void set_add_bio(Set *set, MaterialFile file, BIO *bio)
{
        char *bytes = NULL;
        long size = BIO_get_mem_data(bio, &bytes);

        MUST(size > 0);
        set_add_bytes(set, file, bytes, (size_t)size);
}

void set_add_certificate(Set *set, MaterialFile file, X509 *certificate)
{
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

        MUST(bio);
        MUST(PEM_write_bio_X509(bio, certificate));
        set_add_bio(set, file, bio);
}

void set_add_key(Set *set, MaterialFile file, EVP_PKEY *key, KeyForm form)
{
        static const struct {
                const char *structure;
                const char *cipher;
        } forms[_KEY_FORM_MAX] = {
                [KEY_FORM_PKCS8] = {"PrivateKeyInfo", NULL},
                [KEY_FORM_PKCS1] = {"type-specific", NULL},
                [KEY_FORM_PKCS8_ENCRYPTED] = {"EncryptedPrivateKeyInfo", "AES-256-CBC"},
                [KEY_FORM_PKCS1_ENCRYPTED] = {"type-specific", "AES-256-CBC"},
        };
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
        CLEANUP(OSSL_ENCODER_CTX_freep)
        OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(
                key, EVP_PKEY_KEYPAIR, "PEM", forms[form].structure, NULL);

        MUST(bio && encoder);
        if (forms[form].cipher) {
                MUST(OSSL_ENCODER_CTX_set_cipher(encoder, forms[form].cipher, NULL));
                MUST(OSSL_ENCODER_CTX_set_passphrase(
                        encoder, (const unsigned char *)PASSPHRASE, strlen(PASSPHRASE)));
        }
        MUST(OSSL_ENCODER_to_bio(encoder, bio));
        set_add_bio(set, file, bio);
}

void set_add_issued(Set *set, MaterialFile file, const Request *request)
{
        CLEANUP(X509_freep) X509 *certificate = authority_issue(set->authority, request);

        set_add_certificate(set, file, certificate);
}

void set_replace(Set *set, MaterialFile file, const Request *request)
{
        set_clear(set, file);
        set_add_issued(set, file, request);
}

void set_replace_key(Set *set, EVP_PKEY *key, KeyForm form)
{
        set_clear(set, MATERIAL_KEY);
        set_add_key(set, MATERIAL_KEY, key, form);
}

static void remove_entry(int directory_fd, const char *name)
{
        if (unlinkat(directory_fd, name, 0) == 0 || errno == ENOENT)
                return;
        MUST(unlinkat(directory_fd, name, AT_REMOVEDIR) == 0);
}

static void write_regular(const File *file, int directory_fd, const char *name)
{
        CLEANUP(closep)
        int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        size_t written = 0;

        MUST(fd >= 0);
        while (written < file->size) {
                ssize_t n = write(fd, file->text + written, file->size - written);

                MUST(n > 0);
                written += (size_t)n;
        }
        if (file->sparse_size != 0)
                MUST(ftruncate(fd, file->sparse_size) == 0);
        MUST(fchmod(fd, file->mode) == 0); /* independent of the umask */
}

static void write_entry(const File *file, int directory_fd, const char *name)
{
        remove_entry(directory_fd, name);

        switch (file->kind) {
        case FILE_KIND_REGULAR:
                write_regular(file, directory_fd, name);
                break;
        case FILE_KIND_NOTHING:
                break;
        case FILE_KIND_DIRECTORY:
                MUST(mkdirat(directory_fd, name, 0755) == 0);
                break;
        case FILE_KIND_FIFO:
                MUST(mkfifoat(directory_fd, name, 0600) == 0);
                break;
        case FILE_KIND_SYMLINK:
                MUST(symlinkat(file->target, directory_fd, name) == 0);
                break;
        case _FILE_KIND_MAX:
                failure_die("unknown kind of file");
        }
}

void set_init(Set *ret, const Authority *authority, MaterialFile file)
{
        *ret = (Set){
                .authority = authority,
                .file = file,
                .files[MATERIAL_CA].mode = 0644,
                .files[MATERIAL_CERT].mode = 0644,
                .files[MATERIAL_KEY].mode = 0600,
        };
        set_add_certificate(ret, MATERIAL_CA, authority->ca);
        set_add_certificate(ret, MATERIAL_CERT, authority->client);
        set_add_key(ret, MATERIAL_KEY, authority->client_key, KEY_FORM_PKCS8);
}

void set_done(Set *set)
{
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                set_clear(set, file);
}

void set_write(const Set *set, int parent_fd, const char *name)
{
        CLEANUP(closep) int directory_fd = -1;

        MUST(mkdirat(parent_fd, name, 0755) == 0 || errno == EEXIST);
        directory_fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        MUST(directory_fd >= 0);

        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                write_entry(&set->files[file], directory_fd, file_names[file]);
}
