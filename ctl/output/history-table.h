#pragma once

/*
 * History table: prints the last attempts of clusters for people, those of each cluster below its
 * name, the newest first: when, what, why, with which set, how long, with which outcome; below a
 * failure how often, and the reason.
 */

#include "common/json-reader.h"
#include "common/terminal.h"

/* `reply` is that of GetHistory. -EBADMSG: it is none; nothing was printed. */
int history_table_print(const Terminal *terminal, const JsonValue *reply);
