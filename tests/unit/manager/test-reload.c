#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "daemon/config/config-load.h"
#include "daemon/manager/reload.h"
#include "daemon/manager/wakeup.h"

/* The inventory and the files are stand-ins. */
static struct {
        char calls[64];    /* a letter for each step of the inventory */
        unsigned n_pieces; /* of the next preparation */
        int load_error, prepare_error;
        unsigned n_ended;
        int result;
        char problem[64];
        Config config;
        wakeup_fn turn; /* of the wakeup, which is a stand-in as well */
        void *userdata;
        bool requested;
} fixture;

static Inventory *const inventory = (Inventory *)&fixture;

int config_load(Config **ret, const char *path, ConfigProblem *ret_problem)
{
        assert_string_equal(path, "/etc/a.conf");
        if (fixture.load_error < 0) {
                config_problem_set(ret_problem, path, 7, "unknown key");
                return fixture.load_error;
        }
        *ret = &fixture.config;
        return 0;
}

int wakeup_new(Wakeup **ret, sd_event *event, wakeup_fn fn, void *userdata)
{
        fixture.turn = fn;
        fixture.userdata = userdata;
        *ret = (Wakeup *)&fixture;
        return 0;
}

Wakeup *wakeup_free(Wakeup *wakeup)
{
        return NULL;
}

void wakeup_request(Wakeup *wakeup)
{
        fixture.requested = true;
}

static void note(const Inventory *one, char letter)
{
        assert_ptr_equal(one, inventory);
        fixture.calls[strlen(fixture.calls)] = letter;
}

int inventory_prepare(Inventory *one, Config *config)
{
        assert_ptr_equal(config, &fixture.config);
        note(one, 'p');
        return 0;
}

int inventory_prepare_some(Inventory *one, size_t n)
{
        assert_in_range(n, 1, 1000);
        note(one, 's');
        if (fixture.prepare_error < 0)
                return fixture.prepare_error;
        return fixture.n_pieces > 0 && --fixture.n_pieces > 0;
}

void inventory_adopt(Inventory *one)
{
        note(one, 'a');
}

void inventory_cancel(Inventory *one)
{
        note(one, 'c');
}

static Reload *reload;

static void on_ended(int r, void *userdata)
{
        const ConfigProblem *problem = reload_refused(reload);

        assert_ptr_equal(userdata, &fixture);
        fixture.n_ended++;
        fixture.result = r;
        text_set(fixture.problem, sizeof(fixture.problem), problem ? problem->text : "");
}

static int make(void **state)
{
        memset(&fixture, 0, sizeof(fixture));
        fixture.n_pieces = 3;
        return reload_new(&reload, NULL, inventory, "/etc/a.conf", true, on_ended, &fixture);
}

static int done(void **state)
{
        reload = reload_free(reload);
        return 0;
}

/* A turn of the loop. Returns true if there is to be another one. */
static bool turn(void)
{
        fixture.requested = false;
        fixture.turn(fixture.userdata);
        assert_int_equal(fixture.requested, reload_is_running(reload));
        return fixture.requested;
}

static void run(void)
{
        assert_true(fixture.requested);
        while (turn())
                ;
}

static void test_each_turn_does_one_step(void **state)
{
        assert_false(turn()); /* nothing is requested */
        reload_request(reload);
        for (unsigned i = 0; i < 4; i++) {
                assert_true(turn());
                assert_int_equal(fixture.n_ended, 0);
        }
        assert_true(fixture.config.once);
        assert_string_equal(fixture.calls, "cpsss");
        assert_false(turn());
        assert_string_equal(fixture.calls, "cpsssa");
        assert_int_equal(fixture.n_ended, 1);
        assert_int_equal(fixture.result, 0);
        assert_false(turn());
        assert_int_equal(fixture.n_ended, 1);
}

static void test_another_request_begins_anew_and_both_have_one_end(void **state)
{
        reload_request(reload);
        assert_true(turn());
        assert_true(turn());
        fixture.n_pieces = 1;
        reload_request(reload);
        run();
        assert_string_equal(fixture.calls, "cpscpsa");
        assert_int_equal(fixture.n_ended, 1);
}

static void test_a_refused_configuration_ends_also_the_reload_before(void **state)
{
        reload_request(reload);
        assert_true(turn());
        fixture.load_error = -EINVAL;
        reload_request(reload);
        run();
        assert_string_equal(fixture.calls, "cpc");
        assert_int_equal(fixture.result, -EINVAL);
        assert_string_equal(fixture.problem, "unknown key");
        assert_int_equal(fixture.n_ended, 1);
}

static void test_a_refusal_is_known_until_a_reload_succeeds(void **state)
{
        assert_null(reload_refused(reload));
        fixture.load_error = -EINVAL;
        reload_request(reload);
        run();
        assert_int_equal(reload_refused(reload)->line, 7);
        fixture.load_error = -ENOMEM; /* says nothing of the files */
        reload_request(reload);
        run();
        assert_non_null(reload_refused(reload));
        fixture.load_error = 0;
        reload_request(reload);
        assert_non_null(reload_refused(reload));
        run();
        assert_null(reload_refused(reload));
}

static void test_a_trial_changes_nothing(void **state)
{
        ConfigProblem problem = {0};

        fixture.load_error = -EINVAL;
        assert_int_equal(reload_try(reload, &problem), -EINVAL);
        assert_string_equal(problem.text, "unknown key");
        assert_null(reload_refused(reload));
        assert_false(reload_is_running(reload));
        assert_string_equal(fixture.calls, "");
}

static void test_an_error_in_a_later_step_ends_it(void **state)
{
        fixture.prepare_error = -ENOMEM;
        reload_request(reload);
        run();
        assert_string_equal(fixture.calls, "cps");
        assert_int_equal(fixture.result, -ENOMEM);
        assert_false(turn());
}

static void test_the_end_of_the_daemon_cancels_it(void **state)
{
        reload_request(reload);
        assert_true(turn());
        done(state);
        assert_string_equal(fixture.calls, "cpc");
        assert_int_equal(fixture.n_ended, 0);
}

#define reload_test(test) cmocka_unit_test_setup_teardown(test, make, done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                reload_test(test_each_turn_does_one_step),
                reload_test(test_another_request_begins_anew_and_both_have_one_end),
                reload_test(test_a_refused_configuration_ends_also_the_reload_before),
                reload_test(test_a_refusal_is_known_until_a_reload_succeeds),
                reload_test(test_a_trial_changes_nothing),
                reload_test(test_an_error_in_a_later_step_ends_it),
                reload_test(test_the_end_of_the_daemon_cancels_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
