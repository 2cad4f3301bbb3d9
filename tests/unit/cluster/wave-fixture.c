#include "tests/unit/cluster/wave-fixture.h"

#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/record/record-file.h"

WaveFixture fixture;

const Replication fixture_good = {
        .known = true,
        .configured = true,
        .io_running = "Yes",
        .sql_running = "Yes",
        .tls = TRISTATE_YES,
};

int fixture_done(void **state)
{
        for (size_t i = 0; i < 2; i++)
                record_done(&fixture.record[i]);
        return 0;
}

int fixture_make(void **state)
{
        static const char *const names[] = {"orders", "users"};

        fixture_done(NULL); /* a test may make it anew */
        memset(&fixture, 0, sizeof(fixture));
        fixture.now = USEC_PER_DAY;
        fixture.wall = UINT64_C(1800000000) * USEC_PER_SEC;
        fixture.on_disk = B;
        for (size_t i = 0; i < 2; i++) {
                fixture.config[i] =
                        (ClusterConfig){.enabled = true, .replication = REPLICATION_RESTART};
                text_set(fixture.config[i].name, CONFIG_NAME_MAX, names[i]);
                text_set(fixture.record[i].imported.fingerprint, REPORT_FINGERPRINT_MAX, A);
                fixture.cluster[i] = (ClusterStatus){.config = &fixture.config[i],
                        .record = &fixture.record[i],
                        .replication = &fixture.replication[i]};
        }
        return 0;
}

void fixture_pass(unsigned seconds)
{
        fixture.now += seconds * USEC_PER_SEC;
        fixture.wall += seconds * USEC_PER_SEC;
}

void fixture_evaluate(WaveState expected)
{
        WaveInput input = {
                .canary = &fixture.cluster[0], .fingerprint = fixture.on_disk, .hold_usec = HOLD};
        char fault[OUTCOME_TEXT_MAX];
        RecordProof proof;

        for (size_t i = 0; i < 2; i++) {
                input.proven |= wave_is_proven_by(&fixture.cluster[i], fixture.on_disk);
                input.n_included += wave_includes(&fixture.cluster[i], fixture.on_disk);
        }
        proof = wave_prove(fault, &input);
        record_set_proof(&fixture.record[0], &proof, fault);
        wave_evaluate(&fixture.wave, &input);
        assert_int_equal(fixture.wave.state, expected);
}

static void attempt(const Outcome *outcome)
{
        SetInfo set = {0};

        text_set(set.fingerprint, sizeof(set.fingerprint), fixture.on_disk);
        record_apply(&fixture.record[0], &set, outcome, fixture.wall);
        fixture.cluster[0].read_usec = 0;
}

void fixture_import(void)
{
        attempt(&(Outcome){.kind = OUTCOME_IMPORTED, .effect.committed = true});
}

void fixture_fail(OutcomeKind kind, bool committed)
{
        attempt(&(Outcome){.kind = kind, .text = "no luck", .effect.committed = committed});
}

void fixture_read(const Replication *replication)
{
        fixture.replication[0] = *replication;
        fixture.replication[0].checked_at_usec = fixture.wall;
        fixture.cluster[0].read_usec = fixture.now;
}

void fixture_read_good(unsigned seconds_later)
{
        fixture_pass(seconds_later);
        fixture_read(&fixture_good);
}

bool fixture_is_held_back(size_t cluster)
{
        return wave_holds_back(&fixture.wave, &fixture.cluster[cluster], fixture.on_disk);
}

void fixture_start_again(void)
{
        for (size_t i = 0; i < 2; i++) {
                CLEANUP(freep) char *text = NULL;

                assert_int_equal(record_format(&text, &fixture.record[i]), 0);
                record_done(&fixture.record[i]);
                assert_int_equal(record_parse(&fixture.record[i], text, strlen(text)), 0);
                fixture.replication[i] = (Replication){0};
                fixture.cluster[i].read_usec = 0;
        }
        fixture.wave = (WaveStatus){0};
}

const Replication fixture_broken = {
        .known = true,
        .configured = true,
        .io_running = "Connecting",
        .io_errno = 2026,
        .io_error = "certificate refused",
        .sql_running = "Yes",
};
