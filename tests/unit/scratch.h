#pragma once

/*
 * Scratch: an empty directory for one test, removed when the test is over, passed or failed.
 *
 *     scratch_test(test_a_directory_is_no_file),
 */

#include <stddef.h>

int scratch_make(void **state);
int scratch_remove(void **state);

#define scratch_test(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

/* The absolute path of `name` below the directory, good until seven more were asked for. */
const char *scratch_path(const char *name);

/* Makes the file, or gives it a new content in place. */
void scratch_write(const char *name, const void *data, size_t size);
void scratch_write_text(const char *name, const char *text);

void scratch_make_directory(const char *name);

/* `target` as it stands, relative or not. */
void scratch_link(const char *target, const char *name);

/* What is in the directory below, without "." and "..". */
size_t scratch_count(const char *name);
