#include "tests/unit/test.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "daemon/cluster/slab.h"

#define N    200
#define SIZE 3001

/* Each object has its own content. */
static void fill(char *object, unsigned i)
{
        for (size_t k = 0; k < SIZE; k++)
                assert_int_equal(object[k], 0);
        memset(object, (int)(i % 255 + 1), SIZE);
}

static void expect_filled(const char *object, unsigned i)
{
        for (size_t k = 0; k < SIZE; k++)
                assert_int_equal((unsigned char)object[k], i % 255 + 1);
}

static void test_objects_are_zero_and_their_own(void **state)
{
        Slab slab = SLAB_NULL;
        char *objects[N];

        for (unsigned i = 0; i < N; i++) {
                objects[i] = slab_allocate(&slab, SIZE);
                assert_non_null(objects[i]);
                assert_int_equal((uintptr_t)objects[i] % 16, 0);
                fill(objects[i], i);
        }
        for (unsigned i = 0; i < N; i += 3) { /* others get their places */
                slab_release(objects[i]);
                objects[i] = slab_allocate(&slab, SIZE);
                fill(objects[i], i);
        }
        for (unsigned i = 0; i < N; i++)
                expect_filled(objects[i], i);
        for (unsigned i = 0; i < N; i++)
                slab_release(objects[(i * 7) % N]);
        assert_null(slab.with_room);
        slab_release(NULL);
}

/* mincore(2) fails for pages that are not mapped. */
static bool is_mapped(void *object)
{
        unsigned char resident;
        void *page = (void *)((uintptr_t)object & ~(uintptr_t)(getpagesize() - 1));

        return mincore(page, 1, &resident) == 0;
}

static void test_a_block_is_given_back_with_its_last_object(void **state)
{
        Slab slab = SLAB_NULL;
        char *objects[N];

        for (unsigned i = 0; i < N; i++)
                objects[i] = slab_allocate(&slab, SIZE);
        for (unsigned i = 1; i < N; i++)
                slab_release(objects[i]);
        assert_true(is_mapped(objects[0]));
        assert_false(is_mapped(objects[N - 1]));
        slab_release(objects[0]);
        assert_false(is_mapped(objects[0]));
}

static bool child_has(void *object)
{
        int status;
        pid_t pid = fork();

        if (pid == 0)
                _exit(is_mapped(object) ? 1 : 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status) == 1;
}

/* The emulation of qemu-user 7.2 accepts MADV_DONTFORK and ignores it. */
static bool system_keeps_pages(void)
{
        size_t size = (size_t)getpagesize();
        void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        bool kept;

        assert_ptr_not_equal(page, MAP_FAILED);
        assert_return_code(madvise(page, size, MADV_DONTFORK), errno);
        kept = !child_has(page);
        assert_return_code(munmap(page, size), errno);
        return kept;
}

static void test_a_child_does_not_get_the_pages(void **state)
{
        Slab slab = SLAB_NULL;
        void *object;

        if (!system_keeps_pages())
                skip();
        object = slab_allocate(&slab, SIZE);
        assert_false(child_has(object));
        slab_release(object);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_objects_are_zero_and_their_own),
                cmocka_unit_test(test_a_block_is_given_back_with_its_last_object),
                cmocka_unit_test(test_a_child_does_not_get_the_pages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
