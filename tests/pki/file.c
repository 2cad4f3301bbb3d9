#include "tests/pki/set.h"

/* The fixtures about files: their size, their mode, and other kinds of entry in their place. */

#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "tests/pki/failure.h"

#define SIZE_LIMIT (1024UL * 1024) /* the inspector's limit */

/* Empty lines are text outside the blocks: apart from its size, the file stays good. */
static void pad(Set *set, MaterialFile file, size_t size)
{
        size_t missing = size - set->files[file].size;
        CLEANUP(freep) char *lines = malloc(missing);

        MUST(lines);
        memset(lines, '\n', missing);
        set_add_bytes(set, file, lines, missing);
}

static void full_size(Set *set)
{
        pad(set, MATERIAL_CERT, SIZE_LIMIT);
}

static void one_byte_more(Set *set)
{
        pad(set, set->file, SIZE_LIMIT + 1);
}

static void gigabyte(Set *set)
{
        set->files[set->file].sparse_size = 1024 * (off_t)SIZE_LIMIT;
}

static void put(Set *set, FileKind kind, const char *target)
{
        set->files[set->file].kind = kind;
        set->files[set->file].target = target;
}

static void nothing(Set *set)
{
        put(set, FILE_KIND_NOTHING, NULL);
}

static void directory(Set *set)
{
        put(set, FILE_KIND_DIRECTORY, NULL);
}

static void fifo(Set *set)
{
        put(set, FILE_KIND_FIFO, NULL);
}

/* Exists everywhere, readable by all users, and has no end. */
static void device(Set *set)
{
        put(set, FILE_KIND_SYMLINK, "/dev/zero");
}

static void loop(Set *set)
{
        put(set, FILE_KIND_SYMLINK, "client-cert.pem");
}

static void dangling(Set *set)
{
        put(set, FILE_KIND_SYMLINK, "nowhere/client-cert.pem");
}

/* A regular file that even root cannot read: the first page of memory is never mapped. */
static void unreadable(Set *set)
{
        put(set, FILE_KIND_SYMLINK, "/proc/self/mem");
}

static void symlinks(Set *set)
{
        static const char *const targets[_MATERIAL_FILE_MAX] = {
                [MATERIAL_CA] = "../good/ca.pem",
                [MATERIAL_CERT] = "../good/client-cert.pem",
                [MATERIAL_KEY] = "../good/client-key.pem",
        };

        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++) {
                set->files[file].kind = FILE_KIND_SYMLINK;
                set->files[file].target = targets[file];
        }
}

static void readable_by_all(Set *set)
{
        set->files[MATERIAL_KEY].mode = 0644;
}

const Fixture file_fixtures[] = {
        {"good-full-size", "-", full_size},
        {"good-symlinks", "-", symlinks},
        {"file-missing", "file-missing/*/error", nothing},
        {"file-missing-dangling", "file-missing/cert/error", dangling},
        {"file-unreadable", "file-unreadable/cert/error", unreadable},
        {"file-kind-directory", "file-kind/*/error", directory},
        {"file-kind-fifo", "file-kind/*/error", fifo},
        {"file-kind-device", "file-kind/cert/error", device},
        {"file-kind-loop", "file-kind/cert/error", loop},
        {"file-size-gigabyte", "file-size/ca/error", gigabyte},
        {"file-size", "file-size/*/error", one_byte_more},
        {"key-permissions", "key-permissions/key/warning", readable_by_all},
        {.name = NULL},
};
