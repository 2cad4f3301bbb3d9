#include "tests/unit/pem-fixture.h"

#include "tests/unit/test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static char root[PATH_MAX];

void pem_fixture_set_root(const char *directory)
{
        assert_non_null(realpath(directory, root)); /* paths of a configuration are absolute */
}

Pem pem_fixture_load(const char *name)
{
        static const char *const files[] = {"ca.pem", "client-cert.pem", "client-key.pem"};
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;
        char paths[_MATERIAL_FILE_MAX][PATH_MAX + 64];
        const char *pointers[_MATERIAL_FILE_MAX];
        Pem pem = PEM_NULL;
        Report report = {0};

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                snprintf(paths[i], sizeof(paths[i]), "%s/%s/%s", root, name, files[i]);
                pointers[i] = paths[i];
        }
        assert_int_equal(snapshot_take(&snapshot, pointers), 0);
        assert_int_equal(pem_parse(&pem, &snapshot, pointers, &report), 0);
        assert_false(report.failed);
        return pem;
}
