#include "ctl/output/screen.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"

/* Of a terminal that does not tell its size. */
#define SCREEN_COLUMNS 80
#define SCREEN_ROWS    24

/* Control sequences of ECMA-48: the cursor to the first column of the first row (CUP), erase to the
 * end of the row (EL), and to the end of the screen (ED). */
#define CURSOR_HOME "\033[H"
#define ERASE_LINE  "\033[K"
#define ERASE_BELOW "\033[J"

/* Returns the width of a line of `length` bytes. */
static unsigned width_of(const char *line, size_t length)
{
        unsigned width = 0;

        for (size_t i = 0; i < length; i++)
                if (line[i] == '\033')
                        while (i < length && line[i] != 'm')
                                i++;
                else
                        width += !text_continues_character(line[i]);
        return width;
}

size_t screen_fit(const char *text, unsigned columns, unsigned rows, unsigned *ret_n_cut)
{
        size_t size = 0, at = 0;
        unsigned used = 0;

        *ret_n_cut = 0;
        while (text[at] != '\0') {
                size_t length = strcspn(text + at, "\n");
                unsigned width = width_of(text + at, length);

                used += width > columns ? (width + columns - 1) / columns : 1;
                at += length + (text[at + length] == '\n');
                if (used <= rows)
                        size = at;
                else
                        (*ret_n_cut)++;
        }
        return size;
}

static void put_lines(FILE *stream, const char *text, size_t size)
{
        for (size_t at = 0; at < size;) {
                size_t length = strcspn(text + at, "\n");

                fprintf(stream, "%.*s" ERASE_LINE "\n", (int)length, text + at);
                at += length + 1;
        }
}

/* The cursor stands in the row below the text, so that a prompt does not scroll it. */
int screen_paint(Screen *screen, const char *text)
{
        struct winsize window = {0};
        CLEANUP(freep) char *frame = NULL;
        unsigned columns, rows, n_cut;
        size_t size = 0, fitting;
        FILE *stream = open_memstream(&frame, &size);

        if (!stream)
                return -ENOMEM;
        (void)ioctl(fileno(screen->stream), TIOCGWINSZ, &window);
        columns = window.ws_col > 0 ? window.ws_col : SCREEN_COLUMNS;
        rows = window.ws_row > 2 ? window.ws_row : SCREEN_ROWS;
        for (unsigned i = 0; i < rows && !screen->is_begun; i++)
                fputc('\n', stream);
        screen->is_begun = true;
        fputs(CURSOR_HOME, stream);
        fitting = screen_fit(text, columns, rows - 1, &n_cut);
        if (n_cut > 0) {
                fitting = screen_fit(text, columns, rows - 2, &n_cut);
                put_lines(stream, text, fitting);
                fprintf(stream, "... and %u more lines" ERASE_LINE "\n", n_cut);
        } else
                put_lines(stream, text, fitting);
        fputs(ERASE_BELOW, stream);
        if (fclose(stream) != 0)
                return -ENOMEM;
        (void)fwrite(frame, 1, size, screen->stream);
        return fflush(screen->stream) == 0 ? 0 : -EIO;
}
