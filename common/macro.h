#pragma once

/*
 * Macros: variables that release what they own at the end of their scope, the transfer of that
 * ownership, the growth of an array, checks of received values, and short names of compiler
 * attributes.
 *
 *     CLEANUP(secret_done) Secret password = SECRET_NULL;
 *     CLEANUP(json_freep) JsonValue *value = NULL;
 *     ...
 *     *ret = TAKE(value);
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLEANUP(fn)             __attribute__((cleanup(fn)))
#define PRINTF(position, first) __attribute__((format(printf, position, first)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Returns the pointer and sets the variable to NULL, so that its scope no longer frees it. */
#define TAKE(pointer)                                   \
        __extension__({                                 \
                __typeof__(pointer) taken_ = (pointer); \
                (pointer) = NULL;                       \
                taken_;                                 \
        })

/* The same for a descriptor, with -1 in place of NULL. */
#define TAKE_FD(fd)                \
        __extension__({            \
                int taken_ = (fd); \
                (fd) = -1;         \
                taken_;            \
        })

/* Makes room for one more element in an array of `n` on the heap. Returns false without memory; the
 * array is then unchanged. */
#define GROW(array, n)                                                           \
        __extension__({                                                          \
                void *grown_ = reallocarray((array), (n) + 1, sizeof(*(array))); \
                if (grown_)                                                      \
                        (array) = grown_;                                        \
                grown_ != NULL;                                                  \
        })

/* Defines `functionp`, the form that CLEANUP requires, for a `function` that takes the pointer. */
#define DEFINE_CLEANUP(type, function)                                            \
        /* NOLINTNEXTLINE(bugprone-macro-parentheses): a type cannot have them */ \
        static inline void function##p(type *pointer)                             \
        {                                                                         \
                if (*pointer)                                                     \
                        function(*pointer);                                       \
        }                                                                         \
        struct macro_wants_a_semicolon

/* Returns true if a value that was received, as bytes, is an enumerator below `maximum`. */
#define IS_ENUMERATOR(value, maximum) ((unsigned)(value) < (unsigned)(maximum))

/* Returns true if a received boolean is one: another byte than 0 or 1 has no meaning in C. */
static inline bool is_boolean(const bool *value)
{
        unsigned char byte;

        memcpy(&byte, value, sizeof(byte));
        return byte <= 1;
}

static inline void freep(void *pointer)
{
        free(*(void **)pointer);
}

static inline void closep(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
}
