#include "common/words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char byte)
{
        return byte == ' ' || byte == '\t';
}

int words_split(char **ret, size_t max, char *line)
{
        const char *from = line;
        char *to = line;
        size_t n = 0;

        for (;;) {
                bool quoted = false;

                while (is_blank(*from))
                        from++;
                if (*from == '\0')
                        break;
                if (n == max)
                        return -E2BIG;
                ret[n++] = to;
                for (; *from != '\0' && (quoted || !is_blank(*from)); from++)
                        if (*from == '"')
                                quoted = !quoted;
                        else
                                *to++ = *from;
                if (quoted)
                        return -EINVAL;
                if (*from != '\0')
                        from++; /* the NUL below may come to stand here */
                *to++ = '\0';
        }
        ret[n] = NULL;
        return (int)n;
}
