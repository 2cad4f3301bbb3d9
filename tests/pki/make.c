/*
 * make OUTDIR: writes the test PKI, a directory with ca.pem, client-cert.pem and client-key.pem for
 * each fixture.
 *
 * Each fixture changes exactly one thing in the good set. To add one, write the function that makes
 * the change and a row with its name, in client.c, chain.c, path.c, pem.c, rsa.c, ec.c or file.c.
 * The row states the problem that the inspector reports with the default configuration, and with
 * "key-types = rsa,ec" if the name has "-ec" in it: "rule/file/severity", "-" for none. A "*" for
 * the file makes one fixture for each of the three files, with the file appended to its name; the
 * function finds the file in set->file.
 *
 * The rules are literals here, not those of rule.c: users depend on the names, so a renamed rule
 * must break a test.
 *
 * Two more files are written at the end. "manifest" has a line "directory problem" per fixture.
 * "now" has the time of the certificates in seconds since the epoch: a build directory may be older
 * than the five days of expires-soon, so a test that can pass a time passes this one.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/macro.h"
#include "tests/pki/authority.h"
#include "tests/pki/failure.h"
#include "tests/pki/set.h"

static const char *const file_words[_MATERIAL_FILE_MAX] = {
        [MATERIAL_CA] = "ca",
        [MATERIAL_CERT] = "cert",
        [MATERIAL_KEY] = "key",
};

typedef struct Maker {
        Authority authority;
        int directory_fd;
        FILE *manifest;
} Maker;

static void make_set(Maker *maker, const Fixture *fixture, const char *name, MaterialFile file)
{
        CLEANUP(set_done) Set set;

        failure_set_fixture(name);
        set_init(&set, &maker->authority, file);
        fixture->change(&set);
        set_write(&set, maker->directory_fd, name);
}

static void make_for_each_file(Maker *maker, const Fixture *fixture, const char *star)
{
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++) {
                char name[128];

                (void)snprintf(name, sizeof name, "%s-%s", fixture->name, file_words[file]);
                make_set(maker, fixture, name, file);
                MUST(fprintf(maker->manifest, "%s %.*s%s%s\n", name, (int)(star - fixture->problem),
                             fixture->problem, file_words[file], star + 1) > 0);
        }
}

/* Returns the file of the problem; _MATERIAL_FILE_MAX if there is none. */
static MaterialFile find_file(const Fixture *fixture)
{
        const char *slash = strchr(fixture->problem, '/');
        MaterialFile file = 0;

        if (!slash)
                return _MATERIAL_FILE_MAX;
        while (file < _MATERIAL_FILE_MAX &&
                strncmp(slash + 1, file_words[file], strcspn(slash + 1, "/")) != 0)
                file++;
        MUST(file < _MATERIAL_FILE_MAX);
        return file;
}

static void make_fixtures(Maker *maker, const Fixture *fixtures)
{
        for (const Fixture *fixture = fixtures; fixture->name; fixture++) {
                const char *star = strchr(fixture->problem, '*');

                failure_set_fixture(fixture->name);
                if (star) {
                        make_for_each_file(maker, fixture, star);
                        continue;
                }
                make_set(maker, fixture, fixture->name, find_file(fixture));
                MUST(fprintf(maker->manifest, "%s %s\n", fixture->name, fixture->problem) > 0);
        }
}

static FILE *open_file(int directory_fd, const char *name)
{
        int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        FILE *file = NULL;

        MUST(fd >= 0);
        file = fdopen(fd, "w");
        MUST(file);
        return file;
}

static void write_now(int directory_fd, time_t now)
{
        FILE *file = open_file(directory_fd, "now");

        failure_set_fixture("now");
        MUST(fprintf(file, "%lld\n", (long long)now) > 0);
        MUST(fclose(file) == 0);
}

int main(int argc, char **argv)
{
        static const Fixture *const tables[] = {client_fixtures, chain_fixtures, path_fixtures,
                pem_fixtures, rsa_fixtures, ec_fixtures, file_fixtures};
        time_t now = time(NULL);
        Maker maker = {.directory_fd = -1};

        if (argc != 2) {
                (void)fprintf(stderr, "usage: make OUTDIR\n");
                return EXIT_FAILURE;
        }

        failure_set_fixture("output directory");
        MUST(mkdir(argv[1], 0755) == 0 || errno == EEXIST);
        maker.directory_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        MUST(maker.directory_fd >= 0);

        failure_set_fixture("keys and certificates of all");
        authority_init(&maker.authority, now);

        /* Written under another name until everything is there: a manifest means a complete PKI. */
        maker.manifest = open_file(maker.directory_fd, "manifest.new");
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                make_fixtures(&maker, tables[i]);

        write_now(maker.directory_fd, now);
        failure_set_fixture("manifest");
        MUST(fclose(maker.manifest) == 0);
        MUST(renameat(maker.directory_fd, "manifest.new", maker.directory_fd, "manifest") == 0);

        authority_done(&maker.authority);
        (void)close(maker.directory_fd);
        return EXIT_SUCCESS;
}
