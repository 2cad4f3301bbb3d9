#pragma once

/*
 * What every unit test begins with: assertions that are on whatever the build type says, and
 * cmocka with the headers it wants before it.
 */

#undef NDEBUG

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
