#pragma once

/*
 * Text from strangers (server messages, certificate names, client input) made fit to be shown:
 * one line of valid UTF-8 without control characters. What enters here can stand in a JSON
 * string, in a journal field and on a terminal without doing anything there.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/macro.h"

/* Copies at most `source_size` bytes of `source`. Control characters (C0, DEL, C1, line and
 * paragraph separators, bidirectional overrides) become a space, bytes that are not UTF-8 become
 * '?'; what does not fit is cut at a character's border. Always terminates. */
void text_copy(char *buffer, size_t buffer_size, const char *source, size_t source_size);

/* The same for a whole string, in place of snprintf(buffer, size, "%s", source). NULL gives "". */
void text_set(char *buffer, size_t buffer_size, const char *source);

/* snprintf that treats its result the same way. */
void text_format(char *buffer, size_t buffer_size, const char *format, ...) PRINTF(3, 4);
void text_vformat(char *buffer, size_t buffer_size, const char *format, va_list arguments)
        PRINTF(3, 0);

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */

/* RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. */
bool text_is_utf8(const char *text, size_t size);
