/* Each preparation is that of a process of its own, as OpenSSL tries none again. */

#include "tests/unit/test.h"

#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/objects.h>

#include "daemon/tls/tls-library.h"

#define STEP 499 /* between the later ones of some 40000 allocations */

/* Of a preparation, as an exit status. */
enum {
        WHOLE = 10,    /* the algorithms of a certificate are there */
        DAMAGED,       /* prepared without an error, but they are not */
        OUT_OF_MEMORY, /* -ENOMEM, and a place in the end of the allocations was reached */
        NOT_REACHED,   /* there are fewer allocations */
        BLOCKED,       /* OpenSSL waits for itself */
};

/* For a preparation, which takes milliseconds. With OpenSSL 3.5 one without its first allocations
 * does not end; systemd's limit for a start ends it. */
#define BLOCKED_SEC 3

static unsigned n_allocations, failure = UINT_MAX;

/* The linker puts it in the place of malloc(3). */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
        return ++n_allocations == failure ? NULL : __real_malloc(size);
}

static bool has_algorithms(void)
{
        int digest = 0;

        return OBJ_find_sigid_algs(NID_sha256WithRSAEncryption, &digest, NULL) == 1 &&
                EVP_get_digestbynid(digest) && EVP_get_cipherbyname("AES-256-GCM");
}

static int prepare(unsigned number)
{
        int r;

        n_allocations = 0;
        failure = number;
        r = tls_library_prepare();
        failure = UINT_MAX;
        if (r == -ENOMEM && tls_library_error() == -ENOMEM && n_allocations >= number)
                return OUT_OF_MEMORY;
        if (r < 0 || tls_library_error() < 0)
                return EXIT_FAILURE;
        if (!has_algorithms())
                return DAMAGED;
        return n_allocations < number ? NOT_REACHED : WHOLE;
}

static int result_of(unsigned number)
{
        int status;
        pid_t child = fork();

        assert_return_code(child, errno);
        if (child == 0) {
                (void)alarm(BLOCKED_SEC);
                _exit(prepare(number));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
                return BLOCKED;
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_an_allocation_that_fails_is_reported(void **state)
{
        unsigned number = 1, n_failures = 0;
        int result;

        for (; (result = result_of(number)) != NOT_REACHED; number += number < 64 ? 1 : STEP) {
                if (result == BLOCKED)
                        print_message("allocation %u: OpenSSL waits for itself\n", number);
                else if (result != OUT_OF_MEMORY)
                        fail_msg("allocation %u: %d", number, result);
                else
                        n_failures++;
        }
        assert_true(n_failures >= 64);
}

static void test_a_library_in_use_is_refused(void **state)
{
        assert_non_null(EVP_sha256());
        assert_true(has_algorithms());
        assert_int_equal(tls_library_prepare(), -EALREADY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_allocation_that_fails_is_reported),
                cmocka_unit_test(test_a_library_in_use_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
