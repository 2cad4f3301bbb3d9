#pragma once

/*
 * Material fixture: a new material whose first inspection runs.
 *
 * The inspect job, the watch job, the review timer and the clock are stand-ins: a test delivers
 * reports and events and sets the time by hand.
 */

#include "common/clock.h"
#include "daemon/inspect/inspect-job.h"
#include "daemon/manager/material.h"
#include "daemon/watch/watch-job.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define SETTLE_LIMIT (30 * USEC_PER_SEC)

struct InspectJob {
        InspectJobHandlers handlers;
        bool running;
};

struct WatchJob {
        watch_job_fn fn;
        void *userdata;
        WatchStatus status;
        WatchProcessStatus process;
        unsigned n_requests;
};

typedef struct MaterialFixture {
        uint64_t now, wall; /* boot time, wall clock */
        Material *material;
        const MaterialStatus *status;
        unsigned n_changes;
        InspectJob job;
        unsigned n_inspections;
        int start_error; /* what inspect_job_start() returns */
        WatchJob watch;
        uint64_t timer_usec; /* boot time; 0: the timer is off */
        sd_event_time_handler_t timer_fn;
} MaterialFixture;

extern MaterialFixture fixture;

/* For cmocka. */
int fixture_make(void **state);
int fixture_done(void **state);

#define material_test(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_done)

/* Moves both clocks. */
void fixture_pass(uint64_t usec);

void fixture_notify(WatchJobEvent event);
void fixture_review(void);

Report fixture_report(const char *fingerprint);
Report fixture_failed_report(void);

/* Ends the inspection with that report. A report without a failure comes with a payload, which is
 * returned. */
int fixture_deliver(const Report *report);
int fixture_deliver_set(const char *fingerprint);

/* Ends the inspection with that result. */
void fixture_end(const InspectResult *result);

void fixture_expect_no_set(void);
