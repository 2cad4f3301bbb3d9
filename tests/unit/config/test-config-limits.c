#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "daemon/config/config-load.h"

#define DEFAULTS "[cluster-defaults]\nuser = u\npassword-file = /run/p\n"

static char path[] = "/tmp/test-config-limits-XXXXXX";

/* Returns 0 or -EINVAL. */
static int load(const char *text, size_t *ret_clusters, size_t *ret_materials, ConfigProblem *ret)
{
        Config *config = NULL;
        int r;

        assert_int_equal(file_replace(path, text, strlen(text), 0600), 0);
        r = config_load(&config, path, ret);
        if (r < 0)
                return r;
        *ret_clusters = config->n_clusters;
        *ret_materials = config->n_materials;
        config_unref(config);
        return 0;
}

/* Sections with numbers, the first of them in line 4. */
static char *write_sections(const char *pattern, unsigned n, const char *end)
{
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);

        assert_non_null(stream);
        fputs(DEFAULTS, stream);
        for (unsigned i = 0; i < n; i++)
                fprintf(stream, pattern, i);
        fputs(end, stream);
        assert_int_equal(fclose(stream), 0);
        return text;
}

static void expect_limit(const char *pattern, unsigned limit, const char *end, const char *reason)
{
        ConfigProblem problem = {0};
        size_t n_clusters = 0, n_materials = 0;
        char *text = write_sections(pattern, limit, end);

        if (load(text, &n_clusters, &n_materials, &problem) < 0)
                fail_msg("%s", problem.text);
        assert_true(n_clusters == limit || n_materials == limit);
        free(text);

        text = write_sections(pattern, limit + 1, end);
        assert_int_equal(load(text, &n_clusters, &n_materials, &problem), -EINVAL);
        assert_string_equal(problem.text, reason);
        assert_int_equal(problem.line, 4 + 2 * limit); /* that of the first section too many */
        free(text);
}

static void test_the_number_of_clusters_is_limited(void **state)
{
        expect_limit(
                "[cluster c%u]\nhost = h\n", CONFIG_CLUSTERS_MAX, "", "more than 4096 clusters");
}

static void test_the_number_of_materials_is_limited(void **state)
{
        expect_limit("[material m%u]\ndirectory = /d\n", CONFIG_MATERIALS_MAX,
                "[cluster c]\nhost = h\nmaterial = m0\n", "more than 256 materials");
}

static void expect_problem(const char *text, unsigned line, const char *part)
{
        ConfigProblem problem = {0};
        size_t n_clusters, n_materials;

        assert_int_equal(load(text, &n_clusters, &n_materials, &problem), -EINVAL);
        assert_int_equal(problem.line, line);
        if (!strstr(problem.text, part))
                fail_msg("\"%s\" is not in \"%s\"", part, problem.text);
}

static void test_a_path_that_is_too_long_names_its_key(void **state)
{
        char text[2000];

        snprintf(text, sizeof(text),
                "%s[cluster c]\nhost = h\n[material m]\ndirectory = /%0200d/%0200d\ncert = %0200d\n",
                DEFAULTS, 7, 7, 7);
        expect_problem(text, 8, "cert: the path is longer than 511 bytes");
        snprintf(text, sizeof(text),
                "%s[cluster c]\nhost = h\n[material m]\ndirectory = /%0254d/%0253d\n", DEFAULTS, 7,
                7);
        expect_problem(text, 7, "ca: the path is longer than 511 bytes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_number_of_clusters_is_limited),
                cmocka_unit_test(test_the_number_of_materials_is_limited),
                cmocka_unit_test(test_a_path_that_is_too_long_names_its_key),
        };
        int fd = mkstemp(path), r;

        assert_true(fd >= 0);
        (void)close(fd);
        r = cmocka_run_group_tests(tests, NULL, NULL);
        (void)unlink(path);
        return r;
}
