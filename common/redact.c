#include "common/redact.h"

#include <ctype.h>

#include "common/macro.h"
#include "common/text.h"

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

/* Returns the position of the first byte from `i` on that is compared. */
static size_t next(const Redactor *redactor, const char *text, size_t size, size_t i)
{
        size_t skip = 1;

        for (; redactor->pem && i < size && skip > 0; i += skip)
                skip = skip_length(text + i, size - i);
        return i;
}

/* Returns the end of the run of the secret that begins at `i`; 0: none does. */
static size_t find_end(const Redactor *redactor, const char *text, size_t size, size_t i, bool cut)
{
        char run[REDACTOR_RUN_TEXT];
        size_t n = 0, end = 0;
        bool found;

        for (; i < size && n < redactor->run; i = next(redactor, text, size, i + 1)) {
                run[n++] = text[i];
                end = i + 1;
        }
        found = (n == redactor->run || (cut && n >= REDACTOR_RUN_MIN)) &&
                memmem(redactor->secret.data, redactor->secret.size, run, n);
        explicit_bzero(run, sizeof(run));
        return found ? end : 0;
}

/* A run can begin between the bytes of a character: characters that differ have equal bytes. */
static void cover(char *text, size_t position)
{
        while (position > 0 && text_continues_character(text[position]))
                text[position--] = '*';
        text[position] = '*';
}

/* A byte is covered when each run that it is part of has been compared. */
void redactor_apply(const Redactor *redactor, char *text, bool cut)
{
        size_t size = strlen(text), covered = 0;

        if (redactor->run < REDACTOR_RUN_MIN)
                return;
        for (size_t i = next(redactor, text, size, 0); i < size;
                i = next(redactor, text, size, i + 1)) {
                size_t end = find_end(redactor, text, size, i, cut);

                if (end > covered)
                        covered = end;
                /* Nor does a run end between the bytes of one. */
                if (i + 1 == covered && text_continues_character(text[covered]))
                        covered++;
                if (i < covered)
                        cover(text, i);
        }
}
