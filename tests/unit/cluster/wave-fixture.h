#pragma once

/*
 * Wave fixture: the two clusters of a material with rollout = canary. Both have set A, and set B is
 * on disk; orders is the canary.
 */

#include "common/clock.h"
#include "daemon/cluster/wave.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define HOLD (2 * USEC_PER_MIN)

/* The canary, another cluster of the material, and the two clocks. */
typedef struct WaveFixture {
        ClusterConfig config[2];
        Record record[2];
        Replication replication[2];
        ClusterStatus cluster[2];
        uint64_t now, wall;
        const char *on_disk;
        WaveStatus wave;
} WaveFixture;

extern WaveFixture fixture;

extern const Replication fixture_good, fixture_broken;

/* For cmocka. */
int fixture_make(void **state);
int fixture_done(void **state);
#define wave_test(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_done)

/* Time passes. */
void fixture_pass(unsigned seconds);

/* What a pass of the scheduler does. */
void fixture_evaluate(WaveState expected);

/* The canary imports the set on disk, or fails; `committed`: after the CALL. */
void fixture_import(void);
void fixture_fail(OutcomeKind kind, bool committed);

/* Replication of the canary is read now. */
void fixture_read(const Replication *replication);
void fixture_read_good(unsigned seconds_later);

/* By index: 0 is the canary. */
bool fixture_is_held_back(size_t cluster);

/* Everything but the records, as they are on disk, and the configuration is forgotten. */
void fixture_start_again(void);
