#include "common/terminal.h"

#include <sys/ioctl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"

#define COLUMNS_MIN 40

Terminal terminal_open(FILE *stream)
{
        const char *no_color = getenv("NO_COLOR");
        Terminal terminal = {
                .stream = stream,
                .is_tty = isatty(fileno(stream)),
                .columns = TERMINAL_COLUMNS_MAX,
                .now_usec = clock_wall_usec(),
        };
        struct winsize size;

        terminal.wraps = terminal.is_tty;
        terminal.color = terminal.is_tty && (!no_color || no_color[0] == '\0');
        if (terminal.is_tty && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 &&
                size.ws_col >= COLUMNS_MIN && size.ws_col < terminal.columns)
                terminal.columns = size.ws_col;
        return terminal;
}

static const char *color_of(const Terminal *terminal, const char *word)
{
        static const char *const good[] = {
                "ok", "current", "valid", "passed", "yes", "running", NULL};
        static const char *const fair[] = {"warning", "retrying", "importing", "expiring",
                "changing", "waiting", "not_yet_valid", "connecting", "stopped",
                "stopped by import", NULL};
        static const char *const bad[] = {"critical", "held", "invalid", "expired", "missing",
                "broken", "no", "failing", NULL};
        static const char *const faint[] = {
                "disabled", "off", "not judged", "unknown", "not configured", NULL};

        if (!terminal->color)
                return "";
        if (text_index(good, word) >= 0)
                return "\033[32m";
        if (text_index(fair, word) >= 0)
                return "\033[33m";
        if (text_index(bad, word) >= 0)
                return "\033[1;31m";
        return text_index(faint, word) >= 0 ? "\033[2m" : "";
}

void terminal_word(const Terminal *terminal, const char *word, int width)
{
        const char *start = color_of(terminal, word);

        fprintf(terminal->stream, "%s%-*s%s", start, width, word,
                start[0] != '\0' ? "\033[0m" : "");
}

void terminal_color_begin(const Terminal *terminal, const char *word)
{
        fputs(color_of(terminal, word), terminal->stream);
}

void terminal_color_end(const Terminal *terminal)
{
        if (terminal->color)
                fputs("\033[0m", terminal->stream);
}

void terminal_colored(const Terminal *terminal, const char *word, const char *text)
{
        terminal_color_begin(terminal, word);
        fputs(text, terminal->stream);
        terminal_color_end(terminal);
}

void terminal_heading(const Terminal *terminal, const char *text)
{
        fprintf(terminal->stream, "%s%s%s\n", terminal->color ? "\033[1m" : "", text,
                terminal->color ? "\033[0m" : "");
}

size_t terminal_width(const char *text)
{
        size_t width = 0;

        for (; *text != '\0'; text++)
                width += !text_continues_character(*text);
        return width;
}

/* Returns the number of bytes of the first `columns` characters. */
static size_t byte_count(const char *text, size_t columns)
{
        size_t bytes = 0;

        for (; text[bytes] != '\0'; bytes++)
                if (!text_continues_character(text[bytes]) && columns-- == 0)
                        break;
        return bytes;
}

static void new_line(const Terminal *terminal, size_t indent)
{
        fprintf(terminal->stream, "\n%*s", (int)indent, "");
}

/* Returns the length of a statement that gives a privilege, with the semicolon behind it; 0: the
 * text does not begin with one. Names of accounts are in quotes. */
static size_t statement_length(const char *text)
{
        bool quoted = false;
        size_t length = 0;

        if (strncmp(text, "GRANT ", 6) != 0)
                return 0;
        for (; text[length] != '\0' && (quoted || text[length] != ';'); length++)
                quoted = quoted != (text[length] == '\'');
        length += text[length] == ';';
        return memmem(text, length, " ON ", 4) && memmem(text, length, " TO ", 4) ? length : 0;
}

static size_t width_of(const char *text, size_t length)
{
        size_t width = 0;

        for (size_t i = 0; i < length; i++)
                width += !text_continues_character(text[i]);
        return width;
}

/* Returns how many words after this one belong to it: one to a word of a statement, which is in
 * capitals, and to a command with verbs. */
static unsigned words_held(const char *word, size_t length)
{
        static const struct {
                const char *command;
                unsigned n;
        } held[] = {{"binlog-sslctl", 1}, {"systemctl", 2}, {"journalctl", 2}};

        for (size_t i = 0; i < ARRAY_SIZE(held); i++)
                if (length == strlen(held[i].command) &&
                        strncmp(word, held[i].command, length) == 0)
                        return held[i].n;
        return length > 1 && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

/* Returns the length of a word and of those after it that are on the same line, so that a command
 * or a short statement can be copied. */
static size_t unit_length(const char *text, size_t room)
{
        size_t length = strcspn(text, " "), word = 0;
        unsigned held = 0;

        while (text[length] != '\0') {
                size_t next = length + strspn(text + length, " ");
                size_t end = next + strcspn(text + next, " ");
                unsigned own = words_held(text + word, length - word);

                held = own > held ? own : held;
                if ((held == 0 && strncmp(text + next, "--", 2) != 0) || end == next ||
                        width_of(text, end) > room)
                        break;
                held -= held > 0;
                word = next;
                length = end;
        }
        return length;
}

/* Prints words from the current column; further lines are indented by `hang`. */
static void put_words(const Terminal *terminal, size_t hang, const char *text)
{
        size_t room = terminal->columns - hang, column = 0;

        for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
                size_t statement = statement_length(text);
                size_t length = statement > 0 ? statement : unit_length(text, room);
                size_t width = width_of(text, length);

                if (column > 0 && (statement > 0 || column + 1 + width > room)) {
                        new_line(terminal, hang);
                        column = 0;
                }
                for (; statement == 0 && width > room; width -= room) {
                        size_t part = byte_count(text, room);

                        fprintf(terminal->stream, "%.*s", (int)part, text);
                        new_line(terminal, hang);
                        text += part;
                        length -= part;
                }
                fprintf(terminal->stream, "%s%.*s", column > 0 ? " " : "", (int)length, text);
                column = statement > 0 ? room : column + width + (column > 0);
                text += length;
        }
        fputc('\n', terminal->stream);
}

void terminal_paragraph(
        const Terminal *terminal, unsigned indent, const char *label, const char *text)
{
        if (text[0] == '\0')
                return;
        if (!terminal->wraps) {
                terminal_line(terminal, indent, label, text);
                return;
        }
        fprintf(terminal->stream, "%*s%s", (int)indent, "", label);
        put_words(terminal, indent + terminal_width(label), text);
}

void terminal_line(const Terminal *terminal, unsigned indent, const char *label, const char *text)
{
        if (text[0] != '\0')
                fprintf(terminal->stream, "%*s%s%s\n", (int)indent, "", label, text);
}

void terminal_headline(const Terminal *terminal, const char *word, const char *text)
{
        size_t room = terminal->columns - terminal_width(word) - 2;

        terminal_word(terminal, word, 0);
        if (!terminal->wraps || terminal_width(text) <= room)
                fprintf(terminal->stream, ": %s\n", text);
        else
                fprintf(terminal->stream, ": %.*s...\n", (int)byte_count(text, room - 3), text);
}

static uint64_t whole_seconds(uint64_t usec)
{
        return usec / USEC_PER_SEC * USEC_PER_SEC;
}

const char *terminal_age(char *buffer, const Terminal *terminal, uint64_t wall_usec)
{
        return duration_format(buffer,
                terminal->now_usec > wall_usec ? whole_seconds(terminal->now_usec - wall_usec) : 0);
}

const char *terminal_time(char *buffer, const Terminal *terminal, uint64_t wall_usec)
{
        char duration[DURATION_TEXT_SIZE];

        if (wall_usec == 0)
                return strcpy(buffer, "never");
        if (wall_usec > terminal->now_usec)
                snprintf(buffer, TERMINAL_TIME_SIZE, "in %s",
                        duration_format(duration,
                                whole_seconds(wall_usec - terminal->now_usec + USEC_PER_SEC - 1)));
        else if (terminal->now_usec - wall_usec < USEC_PER_SEC)
                return strcpy(buffer, "just now");
        else
                snprintf(buffer, TERMINAL_TIME_SIZE, "%s ago",
                        terminal_age(duration, terminal, wall_usec));
        return buffer;
}

const char *terminal_rough_time(char *buffer, const Terminal *terminal, uint64_t wall_usec)
{
        bool ahead = wall_usec > terminal->now_usec;
        uint64_t apart = ahead ? wall_usec - terminal->now_usec : terminal->now_usec - wall_usec;
        uint64_t unit = apart >= USEC_PER_DAY ? USEC_PER_DAY
                : apart >= USEC_PER_HOUR      ? USEC_PER_HOUR
                : apart >= USEC_PER_MIN       ? USEC_PER_MIN
                                              : USEC_PER_SEC;

        if (wall_usec > 0)
                wall_usec = ahead ? wall_usec - apart % unit : wall_usec + apart % unit;
        return terminal_time(buffer, terminal, wall_usec);
}
