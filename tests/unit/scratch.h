#pragma once

/*
 * Scratch: an empty directory for one test, removed after the test, passed or failed.
 *
 *     scratch_test(test_a_directory_is_no_file),
 */

#include <stddef.h>

int scratch_make(void **state);
int scratch_remove(void **state);

#define scratch_test(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

/* Returns the absolute path of `name` in the directory, valid until the eighth call after it. */
const char *scratch_path(const char *name);

/* Creates the file, or replaces its content in place. */
void scratch_write(const char *name, const void *data, size_t size);
void scratch_write_text(const char *name, const char *text);

void scratch_make_directory(const char *name);

/* Makes a directory that this process cannot enter, root neither, until it is opened. */
void scratch_make_closed(const char *name);
void scratch_open(const char *name);

/* Creates a symbolic link to `target`, relative or not. */
void scratch_link(const char *target, const char *name);

/* The number of entries in the directory, without "." and "..". */
size_t scratch_count(const char *name);
