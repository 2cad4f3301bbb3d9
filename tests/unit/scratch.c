#include "tests/unit/scratch.h"

#include "tests/unit/test.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OTHER_USER 65534 /* of root: one without its rights */

static char root[PATH_MAX];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
        return remove(path);
}

int scratch_make(void **state)
{
        char made[] = "/tmp/test-binlog-ssld-XXXXXX";

        /* Resolved, because a walk through a symbolic link to /tmp would have more steps. */
        return mkdtemp(made) && realpath(made, root) ? 0 : -1;
}

int scratch_remove(void **state)
{
        (void)seteuid(getuid());
        return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
        static char paths[8][PATH_MAX];
        static unsigned next;
        char *path = paths[next++ % 8];
        int n = snprintf(path, PATH_MAX, "%s%s%s", root, name[0] != '\0' ? "/" : "", name);

        assert_true(n > 0 && n < PATH_MAX);
        return path;
}

void scratch_write(const char *name, const void *data, size_t size)
{
        int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
        assert_int_equal(close(fd), 0);
}

void scratch_write_text(const char *name, const char *text)
{
        scratch_write(name, text, strlen(text));
}

void scratch_make_directory(const char *name)
{
        assert_int_equal(mkdir(scratch_path(name), 0700), 0);
}

void scratch_make_closed(const char *name)
{
        assert_int_equal(mkdir(scratch_path(name), 0), 0);
        assert_int_equal(chmod(root, 0711), 0);
        if (geteuid() == 0)
                assert_int_equal(seteuid(OTHER_USER), 0);
}

void scratch_open(const char *name)
{
        assert_int_equal(seteuid(getuid()), 0);
        assert_int_equal(chmod(scratch_path(name), 0700), 0);
}

void scratch_link(const char *target, const char *name)
{
        assert_int_equal(symlink(target, scratch_path(name)), 0);
}

size_t scratch_count(const char *name)
{
        DIR *directory = opendir(scratch_path(name));
        size_t n = 0;

        assert_non_null(directory);
        for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
                n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
        closedir(directory);
        return n;
}
