#pragma once

/*
 * The few macros of the house: owners that clean up when they leave their scope, and the ways to
 * give ownership away.
 *
 *     CLEANUP(secret_done) Secret password = SECRET_NULL;
 *     CLEANUP(json_freep) JsonValue *value = NULL;
 *     ...
 *     *ret = TAKE(value);
 */

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn)             __attribute__((cleanup(fn)))
#define PRINTF(position, first) __attribute__((format(printf, position, first)))
#define UNUSED                  __attribute__((unused))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Returns the pointer and leaves NULL behind: the scope that held it no longer frees it. */
#define TAKE(pointer)                                   \
        __extension__({                                 \
                __typeof__(pointer) taken_ = (pointer); \
                (pointer) = NULL;                       \
                taken_;                                 \
        })

/* The same for a descriptor, whose "none" is -1. */
#define TAKE_FD(fd)                \
        __extension__({            \
                int taken_ = (fd); \
                (fd) = -1;         \
                taken_;            \
        })

/* Makes `functionp`, the form that CLEANUP wants, from a `function` that takes the pointer. */
#define DEFINE_CLEANUP(type, function)                \
        static inline void function##p(type *pointer) \
        {                                             \
                if (*pointer)                         \
                        function(*pointer);           \
        }                                             \
        struct macro_wants_a_semicolon

static inline void freep(void *pointer)
{
        free(*(void **)pointer);
}

static inline void closep(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
}
