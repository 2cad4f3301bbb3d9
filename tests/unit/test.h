#pragma once

/*
 * Test: the first header of every unit test. Enables assertions in every build type, and includes
 * cmocka with the headers that must precede it.
 */

#undef NDEBUG

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
