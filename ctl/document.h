#pragma once

/*
 * Document: JSON for programs: what the daemon sent, as it sent it, one document a line.
 */

#include <stdio.h>

#include "common/json.h"

/* The tree again as a value of `writer`. */
void document_write(JsonWriter *writer, const JsonValue *value);

/* As a heap string. NULL is written as {}. */
int document_format(char **ret, const JsonValue *value);

/* A line of its own, flushed. */
int document_print(FILE *stream, const JsonValue *value);

/* Finishes the writer's document and prints it. */
int document_finish(FILE *stream, JsonWriter *writer);
