#include "ctl/output/progress.h"

#include <stdarg.h>

#include "common/text.h"

Progress progress_open(FILE *stream, bool quiet)
{
        return (Progress){.terminal = terminal_open(stream), .quiet = quiet};
}

void progress_step(Progress *progress, const char *text)
{
        if (progress->quiet || progress->terminal.is_tty || text[0] == '\0')
                return;
        fprintf(progress->terminal.stream, "%s\n", text);
        (void)fflush(progress->terminal.stream);
}

/* Cuts the text to the width of the terminal, because a line that wraps cannot be overwritten. */
void progress_show(Progress *progress, const char *format, ...)
{
        char line[1024], cut[TERMINAL_COLUMNS_MAX * 4 + 1];
        size_t bytes = 0, columns = 0;
        va_list arguments;

        if (progress->quiet || !progress->terminal.is_tty)
                return;
        va_start(arguments, format);
        text_vformat(line, sizeof(line), format, arguments);
        va_end(arguments);
        for (; bytes < sizeof(cut) - 1 && line[bytes] != '\0'; bytes++) {
                columns += !text_continues_character(line[bytes]);
                if (columns >= progress->terminal.columns)
                        break;
        }
        text_copy(cut, sizeof(cut), line, bytes);
        fprintf(progress->terminal.stream, "\r%s\033[K", cut);
        (void)fflush(progress->terminal.stream);
        progress->shown = true;
}

void progress_clear(Progress *progress)
{
        if (progress->shown)
                fputs("\r\033[K", progress->terminal.stream);
        (void)fflush(progress->terminal.stream);
        progress->shown = false;
}
