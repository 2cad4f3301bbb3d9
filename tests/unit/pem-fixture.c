#include "tests/unit/pem-fixture.h"

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"

static char root[PATH_MAX];

void pem_fixture_set_root(const char *directory)
{
        assert_non_null(realpath(directory, root)); /* paths of a configuration are absolute */
}

void pem_fixture_paths(char paths[][PEM_FIXTURE_PATH_MAX], const char *pointers[], const char *name)
{
        static const char *const files[] = {"ca.pem", "client-cert.pem", "client-key.pem"};

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                snprintf(paths[i], PEM_FIXTURE_PATH_MAX, "%s/%s/%s", root, name, files[i]);
                pointers[i] = paths[i];
        }
}

Pem pem_fixture_load(const char *name)
{
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;
        char paths[_MATERIAL_FILE_MAX][PEM_FIXTURE_PATH_MAX];
        const char *pointers[_MATERIAL_FILE_MAX];
        Pem pem = PEM_NULL;
        Report report = {0};

        pem_fixture_paths(paths, pointers, name);
        assert_int_equal(snapshot_take(&snapshot, pointers, NULL), 0);
        assert_int_equal(pem_parse(&pem, &snapshot, pointers, &report, clock_wall_usec()), 0);
        assert_false(report.failed);
        return pem;
}
