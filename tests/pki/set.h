#pragma once

/*
 * Set: holds the three files of one fixture in memory and writes them.
 *
 * Every set starts good. A fixture changes the text of a file, or the kind of its directory entry.
 */

#include <stddef.h>
#include <sys/types.h>

#include <openssl/bio.h>

#include "daemon/model/rule.h"
#include "tests/pki/authority.h"

typedef enum FileKind {
        FILE_KIND_REGULAR,
        FILE_KIND_NOTHING,
        FILE_KIND_DIRECTORY,
        FILE_KIND_FIFO,
        FILE_KIND_SYMLINK,
        _FILE_KIND_MAX,
} FileKind;

typedef enum KeyForm {
        KEY_FORM_PKCS8,
        KEY_FORM_PKCS1,
        KEY_FORM_PKCS8_ENCRYPTED,
        KEY_FORM_PKCS1_ENCRYPTED,
        _KEY_FORM_MAX,
} KeyForm;

typedef struct File {
        FileKind kind;
        mode_t mode;
        char *text; /* NUL-terminated; may contain NUL bytes */
        size_t size;
        off_t sparse_size;  /* not 0: the file is extended to this size with a hole */
        const char *target; /* of a symlink */
} File;

typedef struct Set {
        const Authority *authority;
        MaterialFile file; /* with the fixture's problem; _MATERIAL_FILE_MAX: no file */
        File files[_MATERIAL_FILE_MAX];
} Set;

/* A row of a table of fixtures; make.c describes how to add one. */
typedef struct Fixture {
        const char *name;
        const char *problem;
        void (*change)(Set *set);
} Fixture;

/* The last row of each has no name. */
extern const Fixture client_fixtures[];
extern const Fixture chain_fixtures[];
extern const Fixture path_fixtures[];
extern const Fixture pem_fixtures[];
extern const Fixture rsa_fixtures[];
extern const Fixture ec_fixtures[];
extern const Fixture file_fixtures[];

void set_init(Set *ret, const Authority *authority, MaterialFile file);
void set_done(Set *set);

void set_clear(Set *set, MaterialFile file);
void set_add_bytes(Set *set, MaterialFile file, const void *bytes, size_t size);
void set_add_text(Set *set, MaterialFile file, const char *text);
void set_add_bio(Set *set, MaterialFile file, BIO *bio);
void set_add_certificate(Set *set, MaterialFile file, X509 *certificate);
void set_add_issued(Set *set, MaterialFile file, const Request *request);
void set_add_key(Set *set, MaterialFile file, EVP_PKEY *key, KeyForm form);

/* Clear and add. */
void set_replace(Set *set, MaterialFile file, const Request *request);
void set_replace_key(Set *set, EVP_PKEY *key, KeyForm form);

/* Creates the directory if it is missing and replaces the three files in it. */
void set_write(const Set *set, int parent_fd, const char *name);
