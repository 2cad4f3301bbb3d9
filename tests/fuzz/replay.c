/*
 * Runs every file of a corpus through the harness that it is linked with. Usage: replay DIRECTORY
 */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "common/file.h"
#include "common/macro.h"
#include "tests/fuzz/fuzz.h"

#define SIZE_LIMIT (1024 * 1024)

/* Copies the file to a block of its exact size, so that a sanitizer detects an access beyond it. */
static void run(const char *directory, const char *name)
{
        CLEANUP(secret_done) Secret content = SECRET_NULL;
        CLEANUP(freep) uint8_t *exact = NULL;
        CLEANUP(freep) char *path = NULL;

        MUST(asprintf(&path, "%s/%s", directory, name) > 0);
        MUST(file_read(&content, AT_FDCWD, path, SIZE_LIMIT) == 0);
        exact = malloc(content.size > 0 ? content.size : 1);
        MUST(exact);
        memcpy(exact, content.data, content.size);
        printf("%s: %zu bytes\n", name, content.size);
        fflush(stdout); /* so that the name is visible after a crash */
        MUST(LLVMFuzzerTestOneInput(exact, content.size) == 0);
}

int main(int argc, char **argv)
{
        struct dirent **entries;
        int n, n_run = 0;

        if (argc != 2)
                return 2;
        n = scandir(argv[1], &entries, NULL, alphasort);
        MUST(n >= 0);
        for (int i = 0; i < n; i++) {
                if (entries[i]->d_name[0] != '.') {
                        run(argv[1], entries[i]->d_name);
                        n_run++;
                }
                free(entries[i]);
        }
        free(entries);
        return n_run > 0 ? 0 : 1;
}
