#include "ctl/page.h"

#include <sys/ioctl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/duration.h"

#define COLUMNS_MIN 40

Page page_on(FILE *stream)
{
        const char *no_color = getenv("NO_COLOR");
        Page page = {
                .stream = stream,
                .terminal = isatty(fileno(stream)),
                .columns = PAGE_COLUMNS_MAX,
                .now_usec = clock_wall_usec(),
        };
        struct winsize size;

        page.color = page.terminal && (!no_color || no_color[0] == '\0');
        if (page.terminal && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 &&
                size.ws_col >= COLUMNS_MIN && size.ws_col < page.columns)
                page.columns = size.ws_col;
        return page;
}

static bool is_one_of(const char *word, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(*words, word) == 0)
                        return true;
        return false;
}

static const char *color_of(const Page *page, const char *word)
{
        static const char *const good[] = {"ok", "current", "valid", "passed", "yes", NULL};
        static const char *const fair[] = {"warning", "retrying", "importing", "expiring",
                "changing", "waiting", "not_yet_valid", NULL};
        static const char *const bad[] = {
                "critical", "held", "invalid", "expired", "missing", "broken", "no", NULL};
        static const char *const faint[] = {"disabled", "off", "not judged", NULL};

        if (!page->color)
                return "";
        if (is_one_of(word, good))
                return "\033[32m";
        if (is_one_of(word, fair))
                return "\033[33m";
        if (is_one_of(word, bad))
                return "\033[1;31m";
        return is_one_of(word, faint) ? "\033[2m" : "";
}

void page_word(const Page *page, const char *word, int width)
{
        const char *start = color_of(page, word);

        fprintf(page->stream, "%s%-*s%s", start, width, word, start[0] != '\0' ? "\033[0m" : "");
}

void page_begin(const Page *page, const char *word)
{
        fputs(color_of(page, word), page->stream);
}

void page_end(const Page *page)
{
        if (page->color)
                fputs("\033[0m", page->stream);
}

void page_colored(const Page *page, const char *word, const char *text)
{
        page_begin(page, word);
        fputs(text, page->stream);
        page_end(page);
}

void page_heading(const Page *page, const char *text)
{
        fprintf(page->stream, "%s%s%s\n", page->color ? "\033[1m" : "", text,
                page->color ? "\033[0m" : "");
}

static bool is_character(char byte)
{
        return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t page_width(const char *text)
{
        size_t width = 0;

        for (; *text != '\0'; text++)
                width += is_character(*text);
        return width;
}

/* Bytes of the first `columns` characters. */
static size_t bytes_of(const char *text, size_t columns)
{
        size_t bytes = 0;

        for (; text[bytes] != '\0'; bytes++)
                if (is_character(text[bytes]) && columns-- == 0)
                        break;
        return bytes;
}

static void new_line(const Page *page, size_t indent)
{
        fprintf(page->stream, "\n%*s", (int)indent, "");
}

/* Words from the column where the line stands, on further lines from `hang`. */
static void put_words(const Page *page, size_t hang, const char *text)
{
        size_t room = page->columns - hang, column = 0;

        for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
                size_t length = strcspn(text, " "), width = 0;

                for (size_t i = 0; i < length; i++)
                        width += is_character(text[i]);
                if (column > 0 && column + 1 + width > room) {
                        new_line(page, hang);
                        column = 0;
                }
                for (; width > room; width -= room) {
                        size_t part = bytes_of(text, room);

                        fprintf(page->stream, "%.*s", (int)part, text);
                        new_line(page, hang);
                        text += part;
                        length -= part;
                }
                fprintf(page->stream, "%s%.*s", column > 0 ? " " : "", (int)length, text);
                column += width + (column > 0);
                text += length;
        }
        fputc('\n', page->stream);
}

void page_sentence(const Page *page, unsigned indent, const char *label, const char *text)
{
        if (text[0] == '\0')
                return;
        fprintf(page->stream, "%*s%s", (int)indent, "", label);
        put_words(page, indent + page_width(label), text);
}

void page_headline(const Page *page, const char *word, const char *text)
{
        page_word(page, word, 0);
        fputs(": ", page->stream);
        put_words(page, page_width(word) + 2, text);
}

static uint64_t whole_seconds(uint64_t usec)
{
        return usec / USEC_PER_SEC * USEC_PER_SEC;
}

const char *page_age(char *buffer, const Page *page, uint64_t wall_usec)
{
        return duration_format(
                buffer, page->now_usec > wall_usec ? whole_seconds(page->now_usec - wall_usec) : 0);
}

const char *page_time(char *buffer, const Page *page, uint64_t wall_usec)
{
        char duration[DURATION_TEXT_SIZE];

        if (wall_usec == 0)
                return strcpy(buffer, "never");
        if (wall_usec > page->now_usec)
                snprintf(buffer, PAGE_TIME_SIZE, "in %s",
                        duration_format(duration,
                                whole_seconds(wall_usec - page->now_usec + USEC_PER_SEC - 1)));
        else if (page->now_usec - wall_usec < USEC_PER_SEC)
                return strcpy(buffer, "just now");
        else
                snprintf(buffer, PAGE_TIME_SIZE, "%s ago", page_age(duration, page, wall_usec));
        return buffer;
}
