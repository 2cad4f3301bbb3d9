#pragma once

/*
 * Mask: covers with '*' what a text has in common with a secret.
 *
 * A server that was told a secret may repeat it, in the error that quotes an argument for instance,
 * and that error is logged and shown. What is covered is a run that stands in both, so that a part
 * of the secret is found as well as the whole.
 *
 * A PEM block is compared without its line ends, in whichever form they come: base64 broken into
 * lines, joined, or with the two characters \n in it is the same key. Transformed otherwise (in
 * hexadecimal, say) a secret is not found.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/secret.h"

#define REDACTOR_RUN_MIN  4  /* a shorter secret cannot be told from ordinary text */
#define REDACTOR_RUN_TEXT 16 /* of a password or token */
#define REDACTOR_RUN_PEM  12 /* of base64: 9 bytes */

/* Finds nothing as it is. Holds a copy of the secret, so it lives in short-lived children only. */
typedef struct Redactor {
        Secret secret; /* as it is compared */
        size_t run;    /* bytes in a row that give it away */
        bool pem;
} Redactor;

#define REDACTOR_NULL ((Redactor){0})

/* Both -ENOMEM, and then the mask is as it was. */
int redactor_set_text(Redactor *redactor, const Secret *secret);
int redactor_set_pem(Redactor *redactor, const char *text, size_t size);

/* One text more, besides what the mask covers already. -ENOMEM. */
int redactor_add_text(Redactor *redactor, const Secret *secret);
void redactor_done(Redactor *redactor);

/* With `cut` the text may end in the middle of what it repeats, where less than a run is enough. */
void redactor_apply(const Redactor *redactor, char *text, bool cut);

/* The same for an array of characters; one that is full may end in the middle of a secret. */
#define REDACT(redactor, array) redactor_apply(redactor, array, strlen(array) + 4 >= sizeof(array))
