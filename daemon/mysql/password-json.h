#pragma once

/*
 * Password JSON: reads the password out of a JSON object, as AWS Secrets Manager keeps it.
 *
 * The whole text is secret. common/json-reader.h would leave copies of it in memory that is freed
 * without being wiped: the text, each string, and what yajl decodes. So the text is parsed where it
 * is, with callbacks instead of a tree, and yajl gets memory that is wiped when it is freed.
 */

#include "common/secret.h"

/* Reads the member `field`, a string that is not empty. Returns NULL, or what the text is
 * instead, as in "it is ...", without any of it; `ret`, which may be `text`, is then unchanged. */
const char *password_json_read(Secret *ret, const Secret *text, const char *field);
