#pragma once

/*
 * Record file: the record of a cluster as JSON, and $STATE_DIRECTORY/<cluster>.json.
 */

#include <stddef.h>

#include "daemon/model/record.h"

/* A heap string that ends with a newline. */
int record_format(char **ret, const Record *record);

/* -EBADMSG: not a record; `ret` is untouched. Unknown members are ignored, because a later version
 * may have written them, and so is an outcome of another name, with all that it says; any other
 * known member of a wrong type or value is an error, except in the history
 * (daemon/record/record-history.h). */
int record_parse(Record *ret, const char *text, size_t size);

/* Reads $STATE_DIRECTORY/<cluster>.json. -ENOENT: none yet; -EBADMSG: not a record, which the
 * caller logs; or the error of reading. `ret` is RECORD_NULL on error. */
int record_load(Record *ret, const char *cluster);

/* Replaces the same file durably, or removes it if record_is_forgotten(). */
int record_save(const char *cluster, const Record *record);
