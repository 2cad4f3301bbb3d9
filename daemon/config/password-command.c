#include "daemon/config/password-command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A percent sign and a letter, and the text that replaces both. */
typedef struct Specifier {
        char letter; /* '\0' ends a list */
        const char *text;
} Specifier;

static const char *find_specifier(const Specifier *specifiers, char letter)
{
        for (; specifiers->letter != '\0'; specifiers++)
                if (specifiers->letter == letter)
                        return specifiers->text;
        return NULL;
}

/* Returns room for the text with every percent sign replaced by the longest specifier. */
static size_t expanded_size(const char *text, const Specifier *specifiers)
{
        size_t size = strlen(text) + 1, longest = 0;

        for (; specifiers->letter != '\0'; specifiers++)
                if (strlen(specifiers->text) > longest)
                        longest = strlen(specifiers->text);
        for (; (text = strchr(text, '%')) != NULL; text++)
                size += longest;
        return size;
}

/* Copies one word and a NUL. Returns the text after it, or NULL if it is not valid. */
static const char *copy_word(char **to, const char *text, const Specifier *specifiers)
{
        bool quoted = false;

        for (; *text != '\0' && (quoted || *text != ' '); text++)
                if (*text == '"')
                        quoted = !quoted;
                else if (*text == '%') {
                        const char *replacement = find_specifier(specifiers, *++text);

                        if (!replacement)
                                return NULL;
                        *to = stpcpy(*to, replacement);
                } else
                        *(*to)++ = *text;
        *(*to)++ = '\0';
        return quoted ? NULL : text;
}

int password_command_parse(char ***ret, const char *text, const LoginConfig *login)
{
        char port[16];
        const Specifier specifiers[] = {
                {'h', login->host}, {'p', port}, {'u', login->user}, {'%', "%"}, {0}};
        CLEANUP(freep) char **words = NULL;
        size_t max = strlen(text) / 2 + 1;
        int n = 0;
        char *to;

        snprintf(port, sizeof(port), "%u", login->port);
        words = malloc((max + 1) * sizeof(*words) + expanded_size(text, specifiers));
        if (!words)
                return -ENOMEM;
        to = (char *)(words + max + 1);
        for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
                words[n++] = to;
                text = copy_word(&to, text, specifiers);
                if (!text)
                        return -EINVAL;
        }
        words[n] = NULL;
        *ret = TAKE(words);
        return n;
}
