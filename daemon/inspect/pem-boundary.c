#include "daemon/inspect/pem-boundary.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/macro.h"
#include "common/text.h"

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define TAIL  "-----"
#define BOM   "\xef\xbb\xbf"

/* Shorter than a whole line of base64 within a block (RFC 7468, section 2: 64), longer than a word
 * in a comment. */
#define BASE64_MIN 48

#define LABEL_MAX 64

typedef struct Line {
        const char *data;
        size_t size; /* without white space at its end, as OpenSSL reads it */
} Line;

static bool next_line(Line *ret, const char **data, const char *end)
{
        const char *newline;

        if (*data == end)
                return false;
        newline = memchr(*data, '\n', (size_t)(end - *data));
        *ret = (Line){*data, (size_t)((newline ? newline : end) - *data)};
        *data = newline ? newline + 1 : end;
        while (ret->size > 0 && (unsigned char)ret->data[ret->size - 1] <= ' ')
                ret->size--;
        return true;
}

static bool begins_with(const Line *line, const char *text)
{
        return line->size >= strlen(text) && memcmp(line->data, text, strlen(text)) == 0;
}

static bool contains(const Line *line, const char *text)
{
        return memmem(line->data, line->size, text, strlen(text)) != NULL;
}

/* Returns true for a boundary of OpenSSL; `label` is then its label. */
static bool is_boundary(const Line *line, const char *head, char label[static LABEL_MAX])
{
        size_t size = strlen(head) + strlen(TAIL);

        if (line->size < size || !begins_with(line, head) ||
                memcmp(line->data + line->size - strlen(TAIL), TAIL, strlen(TAIL)) != 0)
                return false;
        if (memmem(line->data + strlen(head), line->size - size, "--", 2))
                return false; /* more than one boundary in the line */
        text_copy(label, LABEL_MAX, line->data + strlen(head), line->size - size);
        return true;
}

/* Dashes before and after a BEGIN, however many. */
static bool is_broken_boundary(const Line *line)
{
        const char *found = memmem(line->data, line->size, "-BEGIN ", strlen("-BEGIN "));

        return found &&
                memchr(found + 1, '-', line->size - (size_t)(found + 1 - line->data)) != NULL;
}

/* Also indented. */
static bool is_base64(const Line *line)
{
        static const char set[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
        size_t begin = 0;

        while (begin < line->size && (line->data[begin] == ' ' || line->data[begin] == '\t'))
                begin++;
        for (size_t i = begin; i < line->size; i++)
                if (!memchr(set, line->data[i], sizeof(set) - 1))
                        return false;
        return line->size - begin >= BASE64_MIN;
}

/* What a server answers instead of a certificate: its page of an error, or an object with one. No
 * comment begins so. */
static const char *document_reason(const Line *line)
{
        static const char *const heads[] = {"<!DOCTYPE", "<html", "<?xml"};

        for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
                if (line->size >= strlen(heads[i]) &&
                        strncasecmp(line->data, heads[i], strlen(heads[i])) == 0)
                        return "an HTML or XML document begins, in place of a certificate";
        return line->size > 0 && line->data[0] == '{'
                ? "a JSON object or a template begins, in place of a certificate"
                : NULL;
}

static bool is_expected(MaterialFile file, const char *label)
{
        static const char key[] = "PRIVATE KEY";
        size_t size = strlen(label);

        return file == MATERIAL_KEY || strcmp(label, "CERTIFICATE") == 0 ||
                strcmp(label, "X509 CERTIFICATE") == 0 || strcmp(label, "DH PARAMETERS") == 0 ||
                strcmp(label, "EC PARAMETERS") == 0 ||
                (size >= strlen(key) && strcmp(label + size - strlen(key), key) == 0);
}

static const char *broken_reason(const Line *line)
{
        if (contains(line, "\\n"))
                return "its line ends are written as \\n";
        if (begins_with(line, BEGIN))
                return "something follows the boundary in its line, or it ends with fewer dashes";
        if (begins_with(line, BOM))
                return "a byte order mark precedes the boundary";
        if (line->data[0] == ' ' || line->data[0] == '\t')
                return "the block is indented";
        return begins_with(line, "-") ? "the boundary does not begin with five dashes"
                                      : "something precedes the boundary in its line";
}

static void add(PemIgnored *ignored, unsigned number, const char *reason)
{
        if (ignored->n++ > 0)
                return;
        ignored->line = number;
        text_set(ignored->reason, sizeof(ignored->reason), reason);
}

void pem_boundary_find(PemIgnored *ret, MaterialFile file, const char *data, size_t size)
{
        char label[LABEL_MAX] = "", end_label[LABEL_MAX], reason[sizeof(ret->reason)];
        const char *end = data + size;
        bool lost = false; /* within what a broken boundary has begun, or base64 without one */
        Line line;

        *ret = (PemIgnored){0};
        if (size >= strlen(BOM) && memcmp(data, BOM, strlen(BOM)) == 0)
                data += strlen(BOM);
        for (unsigned number = 1; next_line(&line, &data, end); number++) {
                if (label[0] != '\0') {
                        if (is_boundary(&line, END, end_label) && strcmp(end_label, label) == 0)
                                label[0] = '\0';
                } else if (is_boundary(&line, BEGIN, label)) {
                        lost = false;
                        text_format(reason, sizeof(reason), "a block of another kind, %s", label);
                        if (!is_expected(file, label))
                                add(ret, number, reason);
                } else if (is_broken_boundary(&line)) {
                        lost = true;
                        add(ret, number, broken_reason(&line));
                } else if (document_reason(&line)) {
                        if (!lost)
                                add(ret, number, document_reason(&line));
                        lost = true;
                } else if (file != MATERIAL_KEY && is_base64(&line)) {
                        if (!lost)
                                add(ret, number, "base64 without a BEGIN line before it");
                        lost = true;
                } else if (line.size == 0 || contains(&line, "-END "))
                        lost = false;
        }
}
