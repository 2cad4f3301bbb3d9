#include "tests/pki/set.h"

/*
 * The fixtures about PEM: the ways in which tools write the good set, and damaged blocks. The good
 * ones have the keys and certificates of the fixture "good", or of "good-chain", and therefore the
 * same fingerprint.
 */

#include <string.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "tests/pki/failure.h"

typedef void (*Rewriter)(Set *set, MaterialFile file, const char *text);

/* Replaces the text of each file by what `rewriter` makes of it. */
static void rewrite(Set *set, Rewriter rewriter)
{
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++) {
                CLEANUP(freep) char *text = TAKE(set->files[file].text);

                set_clear(set, file);
                rewriter(set, file, text);
        }
}

static void rewrite_crlf(Set *set, MaterialFile file, const char *text)
{
        for (; *text != '\0'; text++) {
                if (*text == '\n')
                        set_add_text(set, file, "\r");
                set_add_bytes(set, file, text, 1);
        }
}

static void crlf(Set *set)
{
        rewrite(set, rewrite_crlf);
}

static void rewrite_bom(Set *set, MaterialFile file, const char *text)
{
        set_add_text(set, file, "\xef\xbb\xbf");
        set_add_text(set, file, text);
}

static void bom(Set *set)
{
        rewrite(set, rewrite_bom);
}

static void rewrite_without_newline(Set *set, MaterialFile file, const char *text)
{
        set_add_bytes(set, file, text, strlen(text) - 1);
}

static void no_final_newline(Set *set)
{
        rewrite(set, rewrite_without_newline);
}

/* A certificate in the format of "openssl x509 -text". */
static void add_printed(Set *set, MaterialFile file, X509 *certificate)
{
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

        MUST(bio);
        MUST(X509_print(bio, certificate));
        set_add_bio(set, file, bio);
        set_add_certificate(set, file, certificate);
}

static void prose(Set *set)
{
        set_clear(set, MATERIAL_CA);
        set_add_text(set, MATERIAL_CA,
                "The CA of M\xc3\xbcnchen\n==================\n\n- -- --- BEGIN, END\n\n");
        add_printed(set, MATERIAL_CA, set->authority->ca);

        set_clear(set, MATERIAL_CERT);
        add_printed(set, MATERIAL_CERT, set->authority->client);
        set_add_text(set, MATERIAL_CERT, "\nend of file");

        /* In the format of "openssl pkcs12 -nodes". */
        set_clear(set, MATERIAL_KEY);
        set_add_text(set, MATERIAL_KEY,
                "Bag Attributes\n    localKeyID: 01 02 03 \nKey Attributes: <No Attributes>\n");
        set_add_key(set, MATERIAL_KEY, set->authority->client_key, KEY_FORM_PKCS8);
        set_add_text(set, MATERIAL_KEY, "\n");
}

static void prose_between(Set *set)
{
        set_clear(set, MATERIAL_CERT);
        add_printed(set, MATERIAL_CERT, set->authority->chained_client);
        set_add_text(set, MATERIAL_CERT, "\nits issuer:\n\n");
        add_printed(set, MATERIAL_CERT, set->authority->intermediate);
}

static void pkcs1_key(Set *set)
{
        set_replace_key(set, set->authority->client_key, KEY_FORM_PKCS1);
}

static void empty(Set *set)
{
        set_clear(set, set->file);
}

static void only_prose(Set *set)
{
        set_clear(set, set->file);
        set_add_text(set, set->file, "There will be a block here one day.\n");
}

/* The blocks of the other file: a key for a certificate, a certificate for a key. */
static void foreign_block(Set *set)
{
        set_clear(set, set->file);
        if (set->file == MATERIAL_KEY)
                set_add_certificate(set, set->file, set->authority->client);
        else
                set_add_key(set, set->file, set->authority->client_key, KEY_FORM_PKCS8);
}

static char *find(const Set *set, const char *what)
{
        char *at = strstr(set->files[set->file].text, what);

        MUST(at);
        return at;
}

/* The first character of the first block's base64; lines of it are 64 characters long. */
static char *find_body(const Set *set)
{
        return find(set, "-----\n") + strlen("-----\n");
}

static void no_end(Set *set)
{
        File *file = &set->files[set->file];

        file->size = (size_t)(find(set, "-----END ") - file->text);
}

static void end_of_another(Set *set)
{
        find(set, "-----END ")[strlen("-----END ")] = 'X';
}

static void bad_base64(Set *set)
{
        find_body(set)[70] = '*';
}

static void nul_inside(Set *set)
{
        find_body(set)[70] = '\0';
}

static void nul_outside(Set *set)
{
        set_add_bytes(set, set->file, "", 1);
}

/* DER of certificates and keys begins with a SEQUENCE, 0x30, which is an M in base64. */
static void bad_der(Set *set)
{
        MUST(*find_body(set) == 'M');
        *find_body(set) = 'A';
}

/* A reader that stops at the first damaged block without an error would accept this. */
static void bad_second_block(Set *set)
{
        CLEANUP(freep) char *broken = NULL;

        bad_der(set);
        broken = TAKE(set->files[set->file].text);

        set_clear(set, set->file);
        set_add_certificate(set, set->file,
                set->file == MATERIAL_CA ? set->authority->ca : set->authority->client);
        set_add_text(set, set->file, broken);
}

/* The file twice, the second time behind a byte order mark. */
static void joined_with_bom(Set *set)
{
        CLEANUP(freep) char *text = strdup(set->files[set->file].text);

        MUST(text);
        rewrite_bom(set, set->file, text);
}

static void joined_in_one_line(Set *set)
{
        CLEANUP(freep) char *text = strdup(set->files[set->file].text);
        CLEANUP(freep) char *first = TAKE(set->files[set->file].text);

        MUST(text);
        set_clear(set, set->file);
        rewrite_without_newline(set, set->file, first);
        set_add_text(set, set->file, text);
}

const Fixture pem_fixtures[] = {
        {"good-pkcs1-key", "-", pkcs1_key},
        {"good-crlf", "-", crlf},
        {"good-bom", "-", bom},
        {"good-text", "-", prose},
        {"good-text-chain", "-", prose_between},
        {"good-no-final-newline", "-", no_final_newline},
        {"pem-malformed-no-end", "pem-malformed/*/error", no_end},
        {"pem-malformed-other-end", "pem-malformed/*/error", end_of_another},
        {"pem-malformed-base64", "pem-malformed/*/error", bad_base64},
        {"pem-malformed-nul", "pem-malformed/*/error", nul_inside},
        {"pem-malformed-nul-outside", "pem-malformed/*/error", nul_outside},
        {"pem-malformed-der", "pem-malformed/*/error", bad_der},
        {"pem-malformed-second-ca", "pem-malformed/ca/error", bad_second_block},
        {"pem-malformed-second-cert", "pem-malformed/cert/error", bad_second_block},
        {"pem-malformed-joined-ca", "pem-malformed/ca/error", joined_in_one_line},
        {"pem-malformed-joined-cert", "pem-malformed/cert/error", joined_in_one_line},
        {"pem-ignored-bom-ca", "pem-ignored/ca/warning", joined_with_bom},
        {"pem-ignored-bom-cert", "pem-ignored/cert/warning", joined_with_bom},
        {"pem-empty", "pem-empty/*/error", empty},
        {"pem-empty-prose", "pem-empty/*/error", only_prose},
        {"pem-empty-foreign", "pem-empty/*/error", foreign_block},
        {.name = NULL},
};
