#include "tests/pki/failure.h"

/*
 * OpenSSL and the kernel report through different channels: the error queue is the truth when it
 * holds something, errno is the best guess when it does not.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

static const char *failure_scene = "start";

void failure_set_scene(const char *scene)
{
        failure_scene = scene;
}

_Noreturn void failure_die(const char *what)
{
        char reason[256];
        unsigned long error = ERR_peek_last_error();

        if (error != 0)
                ERR_error_string_n(error, reason, sizeof reason);
        else
                (void)snprintf(reason, sizeof reason, "%s", strerror(errno));

        (void)fprintf(stderr, "pki: %s: failed: %s: %s\n", failure_scene, what, reason);
        exit(EXIT_FAILURE);
}
