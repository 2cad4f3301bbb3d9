#include "tests/unit/test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/status/status-line.h"
#include "tests/unit/scratch.h"
#include "tests/unit/status-fixture.h"

#define WAIT_USEC (10 * USEC_PER_SEC)

typedef struct Trial {
        sd_event *event;
        StatusLine *line;
        StatusFixture status;
        unsigned n_made;
        uint64_t made_usec[8]; /* boot time */
        int fd;                /* systemd's end */
} Trial;

static Trial trial;

static ManagerStatus current_status(void *userdata)
{
        assert_ptr_equal(userdata, &trial);
        assert_in_range(trial.n_made, 0, 7);
        trial.made_usec[trial.n_made++] = clock_boottime_usec();
        return trial.status.status;
}

static int make(void **state)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        trial = (Trial){.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        if (scratch_make(state) < 0 || sd_event_new(&trial.event) < 0)
                return -1;
        strcpy(address.sun_path, scratch_path("notify"));
        if (bind(trial.fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -1;
        setenv("NOTIFY_SOCKET", address.sun_path, 1);
        status_fixture_make(&trial.status);
        return status_line_new(&trial.line, trial.event, current_status, &trial);
}

static int done(void **state)
{
        status_line_free(trial.line);
        sd_event_unref(trial.event);
        unsetenv("NOTIFY_SOCKET");
        close(trial.fd);
        return scratch_remove(state);
}

static void wait_until_made(unsigned n)
{
        while (trial.n_made < n)
                assert_true(sd_event_run(trial.event, WAIT_USEC) > 0);
}

/* NULL: nothing was sent. */
static void expect(const char *begin)
{
        char text[SUMMARY_TEXT_MAX + 16] = "";
        ssize_t n = recv(trial.fd, text, sizeof(text) - 1, MSG_DONTWAIT);

        if (begin)
                assert_memory_equal(text, begin, strlen(begin));
        else
                assert_int_equal(n, -1);
}

static void test_before_a_poke_nothing_is_sent(void **state)
{
        assert_int_equal(sd_event_run(trial.event, 0), 0);
        expect(NULL);
}

static void test_the_first_line_is_sent_at_once(void **state)
{
        status_line_poke(trial.line);
        assert_true(sd_event_run(trial.event, 0) > 0);
        expect("STATUS=1/1 clusters current");
}

static void test_of_many_changes_the_last_is_sent_after_a_pause(void **state)
{
        status_line_poke(trial.line);
        wait_until_made(1);
        expect("STATUS=1/1 clusters current");
        for (int i = 0; i < 100; i++) {
                trial.status.cluster[0].state = i < 99 ? CLUSTER_WAITING : CLUSTER_DISABLED;
                status_line_poke(trial.line);
        }
        wait_until_made(2);
        assert_true(trial.made_usec[1] - trial.made_usec[0] >= STATUS_LINE_PAUSE_USEC);
        expect("STATUS=0/0 clusters current");
        assert_int_equal(sd_event_run(trial.event, 0), 0);
}

static void test_an_equal_line_is_not_sent_again(void **state)
{
        status_line_poke(trial.line);
        wait_until_made(1);
        expect("STATUS=");
        status_line_poke(trial.line);
        wait_until_made(2);
        expect(NULL);
}

#define line_test(test) cmocka_unit_test_setup_teardown(test, make, done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                line_test(test_before_a_poke_nothing_is_sent),
                line_test(test_the_first_line_is_sent_at_once),
                line_test(test_of_many_changes_the_last_is_sent_after_a_pause),
                line_test(test_an_equal_line_is_not_sent_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
