#pragma once

/*
 * Password JSON: reads the password out of a JSON object, as AWS Secrets Manager keeps it.
 *
 * The whole text is secret; the JSON reader wipes what it copies of it.
 */

#include "common/secret.h"

/* Reads the member `field`, a string that is not empty. Returns NULL, or what the text is
 * instead, as in "it is ...", without any of it; `ret`, which may be `text`, is then unchanged. */
const char *password_json_read(Secret *ret, const Secret *text, const char *field);
