#pragma once

/*
 * Foreign format: recognises what is nearly a PEM file, and knows the command that makes one of it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/model/rule.h"

/* For content in which no PEM block of `file` was found. Formats what it is and a command, with OUT
 * for a new file, and IN for a path that is too long to be repeated. Returns false if the content
 * is not recognised. */
bool foreign_format_describe(char *buffer, size_t buffer_size, MaterialFile file, const char *path,
        const char *data, size_t size);
