#pragma once

/*
 * Cluster fixture: a new enabled cluster without a record; set A is on disk.
 *
 * The import job, the record writer, the clock and getrandom() are stand-ins: a test delivers
 * outcomes and sets the time by hand, and there is no jitter.
 */

#include "common/clock.h"
#include "daemon/cluster/cluster-start.h"
#include "daemon/cluster/cluster.h"
#include "daemon/import/import-job.h"
#include "daemon/record/record-writer.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define RETRY_MIN      (1 * USEC_PER_SEC)
#define RETRY_MAX      (4 * USEC_PER_SEC)
#define RETRY_HELD     (1 * USEC_PER_HOUR)
#define CHECK_INTERVAL (5 * USEC_PER_MIN)
/* The wall clock minus the boot time of the first boot. */
#define WALL (UINT64_C(1800000000) * USEC_PER_SEC)

struct ImportJob {
        ImportTask task;
        ImportJobHandlers handlers;
        const char *host;
        unsigned port;
        bool running, stuck;
};

struct RecordWriter {
        record_writer_fn fn;
        void *userdata;
        unsigned n_scheduled, n_retries, n_written;
};

typedef struct ClusterFixture {
        uint64_t now;      /* boot time */
        uint64_t rebooted; /* how much of the wall clock was before this boot */
        Config config;
        ClusterConfig cluster_config;
        Config in_force[2]; /* copies of both: the last one is that of the cluster */
        ClusterConfig cluster_in_force[2];
        unsigned n_configured;
        SealedSet sets[2];      /* A and B */
        SealedSet *set;         /* on disk; NULL: none */
        const WaveStatus *wave; /* of that set; NULL: none */
        Cluster *cluster;
        ClusterOwner owner;
        const ClusterStatus *status;
        unsigned n_events[CLUSTER_EVENT_END + 1];
        ImportJob import, check;
        int start_error; /* what import_job_start() returns */
        int write_error; /* what record_writer_write() returns */
        RecordWriter writer;
} ClusterFixture;

extern ClusterFixture fixture;

/* For cmocka. */
int fixture_make(void **state);
int fixture_done(void **state);

/* After the one before was freed: a cluster with this record, as at a start. */
int fixture_make_cluster(Record *record);

#define cluster_test(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_done)

/* "": no set. */
void fixture_put_on_disk(const char *fingerprint);

/* Puts fixture.config and fixture.cluster_config in force. */
void fixture_configure(void);

/* Makes the cluster anew from its record, as another start of the daemon does. */
void fixture_restart(void);

/* The record of the cluster as it is on disk. */
Record fixture_record(void);

/* Plans now and expects that action and the state that goes with it. */
void fixture_expect(PlanAction action, ClusterState state);

/* Returns the time of the next action, or 0. */
uint64_t fixture_not_before(void);

/* Expects that plan and starts it. */
int fixture_start(PlanAction action);

/* Delivers the outcome of a job that runs. */
void fixture_end(ImportJob *job, const Outcome *outcome);

/* One import from the start to that outcome. */
void fixture_import(OutcomeKind kind);

/* Lets a check become due and starts it; the second delivers its outcome, too. */
void fixture_start_check(void);
void fixture_check(const Outcome *outcome);
