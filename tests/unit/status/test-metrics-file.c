#include "tests/unit/test.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "daemon/status/metrics-file.h"
#include "tests/unit/scratch.h"

typedef struct Trial {
        sd_event *event;
        MetricsFile *file;
        unsigned n_texts;
        uint64_t made_usec; /* boot time of the last text */
        uint64_t gap_usec;  /* the shortest time between two texts */
        bool without_text;
        unsigned n_reports;
        int error;
        char path[128];
} Trial;

static Trial trial;

static int make_text(char **ret, void *userdata)
{
        uint64_t now = clock_boottime_usec();

        assert_ptr_equal(userdata, &trial);
        if (trial.without_text)
                return -ENOMEM;
        if (trial.n_texts > 0 && now - trial.made_usec < trial.gap_usec)
                trial.gap_usec = now - trial.made_usec;
        trial.made_usec = now;
        assert_true(asprintf(ret, "text %u\n", ++trial.n_texts) > 0);
        return 0;
}

static void on_error(const char *path, int error, void *userdata)
{
        assert_ptr_equal(userdata, &trial);
        trial.n_reports++;
        trial.error = error;
        snprintf(trial.path, sizeof(trial.path), "%s", path);
}

static int make(void **state)
{
        trial = (Trial){.gap_usec = USEC_NEVER};
        if (scratch_make(state) < 0 || sd_event_new(&trial.event) < 0)
                return -1;
        return metrics_file_new(&trial.file, trial.event, make_text, on_error, &trial);
}

static int unmake(void **state)
{
        metrics_file_free(trial.file);
        sd_event_unref(trial.event);
        return scratch_remove(state);
}

static int block_child_signal(void **state)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        return sigprocmask(SIG_BLOCK, &set, NULL);
}

#define metrics_file_test(test) cmocka_unit_test_setup_teardown(test, make, unmake)

static bool has_child(void)
{
        siginfo_t info;

        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Runs every event that is due now or within the time, and each write to its end. */
static void run(uint64_t usec)
{
        uint64_t end = clock_boottime_usec() + usec;

        for (uint64_t now = clock_boottime_usec(); now < end; now = clock_boottime_usec())
                assert_true(sd_event_run(trial.event, end - now) >= 0);
        while (sd_event_run(trial.event, has_child() ? USEC_PER_SEC : 0) > 0 || has_child())
                ;
}

static void assert_content(const char *name, const char *expected)
{
        char content[64] = "";
        FILE *stream = fopen(scratch_path(name), "re");

        assert_non_null(stream);
        assert_true(fread(content, 1, sizeof(content) - 1, stream) > 0);
        fclose(stream);
        assert_string_equal(content, expected);
}

static void test_the_first_file_is_written_at_once_and_readable_by_all(void **state)
{
        struct stat st;
        mode_t mask = umask(077);

        metrics_file_set_path(trial.file, scratch_path("a.prom"));
        run(0);
        umask(mask);
        assert_content("a.prom", "text 1\n");
        assert_int_equal(stat(scratch_path("a.prom"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(scratch_count("."), 1); /* no temporary is left */
        assert_int_equal(trial.n_reports, 0);
}

static void test_the_file_is_replaced_as_a_whole_at_most_once_a_second(void **state)
{
        struct stat first, second;
        FILE *reader;
        char content[64] = "";

        metrics_file_set_path(trial.file, scratch_path("a.prom"));
        run(0);
        reader = fopen(scratch_path("a.prom"), "re");
        assert_non_null(reader);
        assert_int_equal(fstat(fileno(reader), &first), 0);
        for (unsigned i = 0; i < 20; i++) {
                metrics_file_poke(trial.file);
                run(2 * USEC_PER_MSEC);
        }
        run(USEC_PER_SEC);
        assert_in_range(trial.n_texts, 2, 3); /* 3 on a slow machine */
        assert_true(trial.gap_usec >= USEC_PER_SEC);
        /* A reader of the old file reads the old text to its end. */
        assert_int_equal(stat(scratch_path("a.prom"), &second), 0);
        assert_int_not_equal(first.st_ino, second.st_ino);
        assert_true(fread(content, 1, sizeof(content) - 1, reader) > 0);
        assert_string_equal(content, "text 1\n");
        fclose(reader);
}

static void test_an_error_is_reported_once_and_so_is_its_end(void **state)
{
        metrics_file_set_path(trial.file, scratch_path("later/a.prom"));
        run(0);
        assert_int_equal(trial.n_reports, 1);
        assert_int_equal(trial.error, ENOENT);
        assert_string_equal(trial.path, scratch_path("later/a.prom"));
        metrics_file_poke(trial.file);
        run(USEC_PER_SEC);
        assert_int_equal(trial.n_texts, 2);
        assert_int_equal(trial.n_reports, 1);
        scratch_make_directory("later");
        metrics_file_poke(trial.file);
        run(USEC_PER_SEC);
        assert_int_equal(trial.n_reports, 2);
        assert_int_equal(trial.error, 0);
        assert_content("later/a.prom", "text 3\n");
}

static void test_without_memory_the_old_file_stays_and_the_error_is_reported(void **state)
{
        scratch_write_text("a.prom", "of the last run\n");
        trial.without_text = true;
        metrics_file_set_path(trial.file, scratch_path("a.prom"));
        run(0);
        assert_int_equal(trial.error, ENOMEM);
        assert_content("a.prom", "of the last run\n");
}

static void test_another_path_removes_the_old_file(void **state)
{
        metrics_file_set_path(trial.file, scratch_path("a.prom"));
        run(0);
        metrics_file_set_path(trial.file, scratch_path("a.prom")); /* the same path again */
        assert_int_equal(access(scratch_path("a.prom"), F_OK), 0);
        metrics_file_set_path(trial.file, scratch_path("never-written.prom"));
        metrics_file_set_path(trial.file, scratch_path("b.prom"));
        run(USEC_PER_SEC);
        assert_int_equal(access(scratch_path("a.prom"), F_OK), -1);
        assert_content("b.prom", "text 2\n");
        metrics_file_set_path(trial.file, "");
        run(USEC_PER_SEC);
        assert_int_equal(scratch_count("."), 0);
}

static void test_a_path_removed_before_the_write_gets_no_file(void **state)
{
        metrics_file_set_path(trial.file, scratch_path("a.prom"));
        metrics_file_set_path(trial.file, "");
        run(0);
        assert_int_equal(trial.n_texts, 0);
        assert_int_equal(scratch_count("."), 0);
}

static void test_without_a_path_nothing_is_written(void **state)
{
        metrics_file_poke(trial.file);
        metrics_file_set_path(trial.file, "");
        run(10 * USEC_PER_MSEC);
        assert_int_equal(trial.n_texts, 0);
        assert_int_equal(trial.n_reports, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                metrics_file_test(test_the_first_file_is_written_at_once_and_readable_by_all),
                metrics_file_test(test_the_file_is_replaced_as_a_whole_at_most_once_a_second),
                metrics_file_test(test_an_error_is_reported_once_and_so_is_its_end),
                metrics_file_test(test_without_memory_the_old_file_stays_and_the_error_is_reported),
                metrics_file_test(test_another_path_removes_the_old_file),
                metrics_file_test(test_a_path_removed_before_the_write_gets_no_file),
                metrics_file_test(test_without_a_path_nothing_is_written),
        };

        return cmocka_run_group_tests(tests, block_child_signal, NULL);
}
