#pragma once

/*
 * Record history: the history of a cluster as an array in its record.
 *
 * Nothing is decided by it, so no fault of it makes the record one that is not known: an entry that
 * cannot be read, or has a value of a later version, is left out.
 */

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "daemon/model/history.h"

/* The newest entry first. */
void record_history_write(JsonWriter *writer, const History *history);

/* Returns NULL for an array without an entry that can be read, and for what is no array. */
History *record_history_read(const JsonValue *array);
