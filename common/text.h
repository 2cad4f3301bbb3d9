#pragma once

/*
 * Text: makes untrusted text (server messages, certificate names, client input) displayable.
 *
 * The result is one line of valid UTF-8 without control characters, so that it is safe in a JSON
 * string, in a journal field and on a terminal.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/macro.h"

/* Copies at most `source_size` bytes of `source`. Control characters (C0, DEL, C1, line and
 * paragraph separators, bidirectional overrides) become a space, bytes that are not UTF-8 become
 * '?'; the text is cut between two characters if it does not fit. Always adds a NUL. */
void text_copy(char *buffer, size_t buffer_size, const char *source, size_t source_size);

/* The same for a whole string. NULL gives "". */
void text_set(char *buffer, size_t buffer_size, const char *source);

/* Replaces a text on the heap by a copy of `source`: NULL for "", for NULL, and without memory. */
void text_keep(char **text, const char *source);

/* Returns such a text; "" for NULL. */
const char *text_kept(const char *text);

/* As snprintf(3); the result is made displayable in the same way. Without memory a text of more
 * than TEXT_FORMAT_MIN bytes is cut, but never missing: that there is one often means an error. */
#define TEXT_FORMAT_MIN 4095
void text_format(char *buffer, size_t buffer_size, const char *format, ...) PRINTF(3, 4);
void text_vformat(char *buffer, size_t buffer_size, const char *format, va_list arguments)
        PRINTF(3, 0);

/* Adds to the end of the text in the buffer. */
void text_append(char *buffer, size_t buffer_size, const char *format, ...) PRINTF(3, 4);

/* Returns true if text_copy() would change none of the bytes. */
bool text_is_displayable(const char *text, size_t size);

/* Returns true if a buffer that was received contains a NUL and displayable text before it. */
bool text_is_received(const char *buffer, size_t buffer_size);

/* The same for an array of characters. */
#define TEXT_IS_RECEIVED(array) text_is_received(array, sizeof(array))

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */

/* Returns the index of `text` in a list that ends with NULL, or -1. */
int text_index(const char *const *list, const char *text);

/* Quotes a text as one word of the shell, only where necessary. Returns false if it was cut. */
bool text_quote(char *buffer, size_t buffer_size, const char *text);

/* Writes `size` bytes in lower-case hexadecimal; `buffer` has room for 2 * size + 1. */
void text_hex(char *buffer, const unsigned char *bytes, size_t size);

/* Returns true for a byte of a UTF-8 character after its first (RFC 3629, section 3). */
static inline bool text_continues_character(char byte)
{
        return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Returns true if the bytes are UTF-8 as in RFC 3629: no overlong form, no surrogate, nothing above
 * U+10FFFF. */
bool text_is_utf8(const char *text, size_t size);
