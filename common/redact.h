#pragma once

/*
 * Redactor: replaces parts of a secret in a text with '*'.
 *
 * A server may repeat a secret that was sent to it, for example in an error that quotes an
 * argument, and that error is logged and displayed. Every run of bytes that occurs in both is
 * replaced, so that a part of the secret is found as well as the whole; of a character of UTF-8
 * always all bytes, so that a displayable text stays one.
 *
 * A PEM block is compared without its line ends: base64 broken into lines, joined, or with the two
 * characters \n in it is the same key. A secret in another encoding (hexadecimal, for example) is
 * not found.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/secret.h"

#define REDACTOR_RUN_MIN  4  /* a shorter secret could be ordinary text */
#define REDACTOR_RUN_TEXT 16 /* of a password or token */
#define REDACTOR_RUN_PEM  12 /* of base64: 9 bytes */

/* Holds a copy of the secret, so it exists in short-lived children only. REDACTOR_NULL finds
 * nothing. */
typedef struct Redactor {
        Secret secret; /* in the form in which it is compared */
        size_t run;    /* common bytes in a row that are replaced */
        bool pem;      /* base64 is compared without its line ends */
} Redactor;

#define REDACTOR_NULL ((Redactor){0})

/* Replace the secret. -ENOMEM: the redactor is unchanged. */
int redactor_set_text(Redactor *redactor, const Secret *secret);
int redactor_set_pem(Redactor *redactor, const char *text, size_t size);

/* Adds a text to the secrets that are replaced. -ENOMEM. */
int redactor_add_text(Redactor *redactor, const Secret *secret);
void redactor_done(Redactor *redactor);

/* With `cut` the text may end in the middle of a secret, so REDACTOR_RUN_MIN bytes at its end are
 * enough. */
void redactor_apply(const Redactor *redactor, char *text, bool cut);

/* The same for an array of characters; the text in a full one may have been cut. */
#define REDACT(redactor, array) redactor_apply(redactor, array, strlen(array) + 4 >= sizeof(array))
