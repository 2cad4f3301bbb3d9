#include "daemon/watch/progress.h"

#include <sys/mman.h>

#include <errno.h>
#include <stdatomic.h>

struct Progress {
        atomic_uint count;
        atomic_bool finished;
};

int progress_new(Progress **ret)
{
        void *page = mmap(
                NULL, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (page == MAP_FAILED)
                return -errno;
        *ret = page;
        return 0;
}

Progress *progress_free(Progress *progress)
{
        if (progress)
                (void)munmap(progress, sizeof(*progress));
        return NULL;
}

void progress_count(Progress *progress)
{
        if (progress)
                atomic_fetch_add(&progress->count, 1);
}

void progress_finish(Progress *progress)
{
        if (progress)
                atomic_store(&progress->finished, true);
}

uint32_t progress_read(const Progress *progress)
{
        return atomic_load(&progress->count);
}

bool progress_is_finished(const Progress *progress)
{
        return atomic_load(&progress->finished);
}
