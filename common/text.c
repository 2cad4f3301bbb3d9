#include "common/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the length of the UTF-8 sequence at `bytes` (RFC 3629), or 0 if it is not valid. */
static size_t utf8_decode(uint32_t *ret, const unsigned char *bytes, size_t size)
{
        static const struct {
                unsigned char mask, lead;
                uint32_t minimum;
        } forms[] = {
                {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
                uint32_t code;

                if ((bytes[0] & forms[i].mask) != forms[i].lead)
                        continue;
                if (size < i + 1)
                        return 0;
                code = bytes[0] & (unsigned char)~forms[i].mask;
                for (size_t k = 1; k <= i; k++) {
                        if ((bytes[k] & 0xc0) != 0x80)
                                return 0;
                        code = code << 6 | (bytes[k] & 0x3f);
                }
                if (code < forms[i].minimum || code > 0x10ffff ||
                        (code >= 0xd800 && code <= 0xdfff))
                        return 0;
                *ret = code;
                return i + 1;
        }
        return 0;
}

static bool is_control(uint32_t code)
{
        return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e ||
                code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
                (code >= 0x2066 && code <= 0x2069);
}

void text_copy(char *buffer, size_t buffer_size, const char *source, size_t source_size)
{
        const unsigned char *bytes = (const unsigned char *)source;
        size_t used = 0;

        if (buffer_size == 0)
                return;
        while (source_size > 0) {
                uint32_t code = 0;
                size_t length = utf8_decode(&code, bytes, source_size);
                char replacement = length == 0 ? '?' : ' ';
                bool replaced = length == 0 || is_control(code);
                size_t written = replaced ? 1 : length;

                if (used + written >= buffer_size)
                        break;
                if (replaced)
                        buffer[used] = replacement;
                else
                        memmove(buffer + used, bytes, length);
                used += written;
                bytes += length > 0 ? length : 1;
                source_size -= length > 0 ? length : 1;
        }
        buffer[used] = '\0';
}

void text_set(char *buffer, size_t buffer_size, const char *source)
{
        text_copy(buffer, buffer_size, source ? source : "", source ? strlen(source) : 0);
}

void text_keep(char **text, const char *source)
{
        char *copy = source && source[0] != '\0' ? strdup(source) : NULL;

        free(*text);
        *text = copy;
}

const char *text_kept(const char *text)
{
        return text ? text : "";
}

void text_vformat(char *buffer, size_t buffer_size, const char *format, va_list arguments)
{
        char own[TEXT_FORMAT_MIN + 1], *longer = NULL;
        va_list again;
        int n;

        va_copy(again, arguments);
        n = vsnprintf(own, sizeof(own), format, arguments);
        if (n > TEXT_FORMAT_MIN && vasprintf(&longer, format, again) < 0) {
                longer = NULL;
                n = TEXT_FORMAT_MIN;
        }
        text_copy(buffer, buffer_size, longer ? longer : own, n > 0 ? (size_t)n : 0);
        free(longer);
        va_end(again);
}

void text_format(char *buffer, size_t buffer_size, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        text_vformat(buffer, buffer_size, format, arguments);
        va_end(arguments);
}

void text_append(char *buffer, size_t buffer_size, const char *format, ...)
{
        size_t used = strlen(buffer);
        va_list arguments;

        va_start(arguments, format);
        text_vformat(buffer + used, buffer_size - used, format, arguments);
        va_end(arguments);
}

bool text_equal(const char *a, const char *b)
{
        return a && b ? strcmp(a, b) == 0 : a == b;
}

int text_index(const char *const *list, const char *text)
{
        for (int i = 0; list[i]; i++)
                if (strcmp(list[i], text) == 0)
                        return i;
        return -1;
}

bool text_quote(char *buffer, size_t buffer_size, const char *text)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789/._-+@:,=";
        size_t used = 0;

        if (text[0] != '\0' && text[strspn(text, plain)] == '\0')
                return (size_t)snprintf(buffer, buffer_size, "%s", text) < buffer_size;
        buffer[used++] = '\'';
        for (; *text != '\0' && used + 6 < buffer_size; text++)
                used += (size_t)snprintf(
                        buffer + used, buffer_size - used, *text == '\'' ? "'\\''" : "%c", *text);
        snprintf(buffer + used, buffer_size - used, "'");
        return *text == '\0';
}

void text_hex(char *buffer, const unsigned char *bytes, size_t size)
{
        buffer[0] = '\0';
        for (size_t i = 0; i < size; i++)
                snprintf(buffer + 2 * i, 3, "%02x", bytes[i]);
}

static bool is_valid(const char *text, size_t size, bool controls)
{
        for (size_t i = 0, length; i < size; i += length) {
                uint32_t code;

                length = utf8_decode(&code, (const unsigned char *)text + i, size - i);
                if (length == 0 || (!controls && is_control(code)))
                        return false;
        }
        return true;
}

bool text_is_displayable(const char *text, size_t size)
{
        return is_valid(text, size, false);
}

bool text_is_received(const char *buffer, size_t buffer_size)
{
        const char *end = memchr(buffer, '\0', buffer_size);

        return end && text_is_displayable(buffer, (size_t)(end - buffer));
}

bool text_is_utf8(const char *text, size_t size)
{
        return is_valid(text, size, true);
}
