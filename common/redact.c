#include "common/redact.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "common/macro.h"
#include "common/text.h"

/* A text in the form in which it is compared: the bytes that count, and the position of each. */
typedef struct Compared {
        char *bytes;
        size_t *positions;
        bool *hits;
        size_t size;
} Compared;

static bool is_base64(char byte)
{
        return isalnum((unsigned char)byte) || byte == '+' || byte == '/' || byte == '=';
}

/* Returns how many bytes at `text` are not compared. */
static size_t skip_length(const char *text, size_t size)
{
        if (size >= 2 && text[0] == '\\' && (text[1] == 'n' || text[1] == 'r'))
                return 2;
        return is_base64(text[0]) ? 0 : 1;
}

static void compared_done(Compared *compared)
{
        if (compared->bytes)
                explicit_bzero(compared->bytes, compared->size);
        free(compared->bytes);
        free(compared->positions);
        free(compared->hits);
}

static int compared_make(Compared *ret, const char *text, size_t size, bool pem)
{
        *ret = (Compared){
                .bytes = calloc(size + 1, sizeof(char)),
                .positions = calloc(size + 1, sizeof(size_t)),
                .hits = calloc(size + 1, sizeof(bool)),
        };
        if (!ret->bytes || !ret->positions || !ret->hits)
                return -ENOMEM;
        for (size_t i = 0; i < size;) {
                size_t skip = pem ? skip_length(text + i, size - i) : 0;

                if (skip == 0) {
                        ret->positions[ret->size] = i;
                        ret->bytes[ret->size++] = text[i];
                }
                i += skip > 0 ? skip : 1;
        }
        return 0;
}

static void set(Redactor *redactor, Secret *secret, size_t run, bool pem)
{
        redactor_done(redactor);
        *redactor = (Redactor){
                .secret = *secret, .run = secret->size < run ? secret->size : run, .pem = pem};
        *secret = SECRET_NULL;
}

int redactor_set_text(Redactor *redactor, const Secret *secret)
{
        CLEANUP(secret_done) Secret copy = SECRET_NULL;
        int r = secret_append(&copy, secret->data, secret->size);

        if (r == 0)
                set(redactor, &copy, REDACTOR_RUN_TEXT, false);
        return r;
}

/* A NUL separates the texts, so that no run extends over two of them. */
int redactor_add_text(Redactor *redactor, const Secret *secret)
{
        int r;

        if (redactor->run < REDACTOR_RUN_MIN)
                return redactor_set_text(redactor, secret);
        if (secret->size < REDACTOR_RUN_MIN)
                return 0;
        r = secret_append(&redactor->secret, "", 1);
        if (r == 0)
                r = secret_append(&redactor->secret, secret->data, secret->size);
        if (r == 0 && secret->size < redactor->run)
                redactor->run = secret->size;
        return r;
}

/* Returns the length of a line such as "-----BEGIN RSA PRIVATE KEY-----", which is not secret. */
static size_t armor_length(const char *text, size_t size)
{
        static const char dashes[] = "-----";
        const size_t n = sizeof(dashes) - 1;
        const char *end;

        if (size < 2 * n || memcmp(text, dashes, n) != 0)
                return 0;
        end = memmem(text + n, size - n, dashes, n);
        return end ? (size_t)(end + n - text) : 0;
}

int redactor_set_pem(Redactor *redactor, const char *text, size_t size)
{
        CLEANUP(secret_done) Secret bodies = SECRET_NULL;
        int r = secret_allocate(&bodies, size);

        if (r < 0)
                return r;
        for (size_t i = 0; i < size;) {
                size_t skip = armor_length(text + i, size - i);

                if (skip == 0)
                        skip = skip_length(text + i, size - i);
                if (skip == 0)
                        bodies.data[bodies.size++] = text[i];
                i += skip > 0 ? skip : 1;
        }
        set(redactor, &bodies, REDACTOR_RUN_PEM, true);
        return 0;
}

void redactor_done(Redactor *redactor)
{
        secret_done(&redactor->secret);
        *redactor = REDACTOR_NULL;
}

static bool secret_contains(const Redactor *redactor, const char *bytes, size_t size)
{
        return memmem(redactor->secret.data, redactor->secret.size, bytes, size) != NULL;
}

static void find(const Redactor *redactor, Compared *text, bool cut)
{
        for (size_t i = 0; i + redactor->run <= text->size; i++)
                if (secret_contains(redactor, text->bytes + i, redactor->run))
                        memset(text->hits + i, true, redactor->run);
        if (!cut)
                return;
        for (size_t length = redactor->run - 1; length >= REDACTOR_RUN_MIN; length--)
                if (length <= text->size &&
                        secret_contains(redactor, text->bytes + text->size - length, length)) {
                        memset(text->hits + text->size - length, true, length);
                        return;
                }
}

/* A run can begin or end between the bytes of one: characters that differ have equal bytes. */
static void cover_character(char *text, size_t position)
{
        while (position > 0 && text_continues_character(text[position]))
                position--;
        do
                text[position++] = '*';
        while (text_continues_character(text[position]));
}

void redactor_apply(const Redactor *redactor, char *text, bool cut)
{
        CLEANUP(compared_done) Compared compared = {0};
        size_t size = strlen(text);

        if (redactor->run < REDACTOR_RUN_MIN || size < REDACTOR_RUN_MIN)
                return;
        if (compared_make(&compared, text, size, redactor->pem) < 0) {
                /* Without memory for the comparison, the whole text may be secret. */
                memset(text, '*', size);
                return;
        }
        find(redactor, &compared, cut);
        for (size_t i = 0; i < compared.size; i++)
                if (compared.hits[i])
                        cover_character(text, compared.positions[i]);
}
