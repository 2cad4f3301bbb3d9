#pragma once

/*
 * Foreign format: recognises what is nearly a PEM file, and knows the command that makes one of it.
 */

#include <stddef.h>

#include "daemon/model/rule.h"

/* For content in which no PEM block of `file` was found. Returns a constant text, what it is and a
 * command, with IN for the file and OUT for a new one, or NULL if it is not recognised. */
const char *foreign_format_of(MaterialFile file, const char *data, size_t size);
