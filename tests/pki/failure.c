#include "tests/pki/failure.h"

/* OpenSSL reports in its error queue, the kernel in errno: errno counts if the queue is empty. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

static const char *fixture = "start";

void failure_set_fixture(const char *name)
{
        fixture = name;
}

_Noreturn void failure_die(const char *what)
{
        char reason[256];
        unsigned long error = ERR_peek_last_error();

        if (error != 0)
                ERR_error_string_n(error, reason, sizeof reason);
        else
                (void)snprintf(reason, sizeof reason, "%s", strerror(errno));

        (void)fprintf(stderr, "pki: %s: failed: %s: %s\n", fixture, what, reason);
        exit(EXIT_FAILURE);
}
