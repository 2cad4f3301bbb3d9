#pragma once

/*
 * Methods fixture: root calls a manager with one valid material and the current, enabled clusters
 * "orders" and "users".
 *
 * The connection, the server's publication and the operations of the manager are stand-ins: a test
 * sets the caller and reads the effects.
 */

#include "daemon/varlink/methods.h"
#include "tests/unit/status-fixture.h"

typedef struct MethodsFixture {
        StatusFixture status;
        Config config;
        uid_t uid;
        bool is_member; /* of group 77, the gid of control-group */

        unsigned n_schedules, n_reloads, n_trials;
        int trial_error;
        char imports[64];  /* indices of import_now(), each with '!' if forced, '+' by hand */
        char removals[64]; /* indices of remove(); */
        bool is_busy[FIXTURE_CLUSTERS]; /* can_remove() is false */
        int metrics_error;
        bool postponed;   /* the call is answered later */
        int later_result; /* of such a call; the answer is as below */

        int check_error;    /* what the start of a run returns */
        char checked[64];   /* the indices of the clusters of the last run */
        unsigned n_checks;  /* that were started */
        unsigned n_answers; /* a run has so many more */
        bool check_ended;   /* the client has gone */
        check_ready_fn ready;
        connection_cancel_fn cancel_fn; /* NULL: the call has no series */
        unsigned n_wakes;

        ManagerInfo info;

        bool streaming, is_behind;
        connection_next_fn next_fn;
        void *next_userdata;
        ConnectionCursor cursor;
        unsigned n_events;
        char events[8][4096]; /* to all subscribers */

        char *answer;
        const char *error;
} MethodsFixture;

extern MethodsFixture fixture;

/* For cmocka. */
int fixture_make(void **state);
int fixture_done(void **state);

#define methods_test(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_done)

/* Calls a method of io.binlogssl.Manager; `members` is the rest of the call's object, such as
 * ",\"more\":true". Returns what methods_answer() does; the answer is in the fixture. */
int fixture_call(const char *method, const char *members);

/* Makes the next answer of the stream or series that the call began. */
int fixture_next(char **ret);

/* Calls and expects that error, or NULL, and that answer, or NULL for {}. */
void fixture_expect(const char *method, const char *members, const char *error, const char *answer);
