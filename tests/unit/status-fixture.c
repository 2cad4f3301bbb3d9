#include "tests/unit/status-fixture.h"

#include "common/clock.h"
#include "common/text.h"

void status_fixture_make(StatusFixture *ret)
{
        static const char *const names[FIXTURE_CLUSTERS] = {"orders", "users", "logs"};
        static const char *const hosts[FIXTURE_CLUSTERS] = {
                "orders.example", "users.example", "logs.example"};

        *ret = (StatusFixture){
                .material_config = {.name = "default",
                        .directory = "/etc/material",
                        .expiry_warning_usec = {7 * USEC_PER_DAY, USEC_PER_DAY}},
                .report = {.has_certificate = true,
                        .certificate = {.subject = "CN = client",
                                .issuer = "CN = authority",
                                .serial = "01AB",
                                .sha256 = FIXTURE_A,
                                .key_type = "rsa",
                                .key_bits = 2048,
                                .not_before_usec = FIXTURE_TIME - 30 * USEC_PER_DAY,
                                .not_after_usec = FIXTURE_TIME},
                        .ca_count = 2,
                        .ca_not_before_usec = FIXTURE_TIME - 8 * USEC_PER_DAY,
                        .ca_not_after_usec = FIXTURE_TIME + USEC_PER_DAY,
                        .fingerprint = FIXTURE_A},
        };
        ret->watch = (WatchStatus){.watch = "inotify",
                .watching = true,
                .missed_events = 3,
                .checked_at_usec = 2000,
                .changed_at_usec = 1500};
        ret->material = (MaterialStatus){.config = &ret->material_config,
                .inspected = true,
                .state = MATERIAL_STATE_VALID,
                .since_usec = 1000,
                .report = &ret->report,
                .watch = &ret->watch,
                .watch_process = &ret->watch_process};
        ret->watch_process.deadline_usec = USEC_NEVER;
        ret->materials[0] = &ret->material;
        for (unsigned i = 0; i < FIXTURE_CLUSTERS; i++) {
                text_set(ret->cluster_config[i].name, CONFIG_NAME_MAX, names[i]);
                ret->cluster_config[i].login.host = hosts[i];
                ret->cluster_config[i].login.port = 3306;
                text_set(ret->cluster_config[i].material_name, CONFIG_NAME_MAX, "default");
                ret->record[i] = (Record){.imported.fingerprint = FIXTURE_A,
                        .imported.at_usec = 5000,
                        .attempt.fingerprint = FIXTURE_A,
                        .attempt.at_usec = 4000,
                        .last_success_usec = 4500,
                        .attempt.outcome.known = true,
                        .attempt.outcome.kind = OUTCOME_IMPORTED};
                ret->cluster[i] = (ClusterStatus){.config = &ret->cluster_config[i],
                        .state = CLUSTER_CURRENT,
                        .since_usec = 6000,
                        .record = &ret->record[i],
                        .replication = &ret->replication[i]};
                ret->clusters[i] = &ret->cluster[i];
        }
        ret->status = (ManagerStatus){.materials = ret->materials,
                .n_materials = 1,
                .clusters = ret->clusters,
                .n_clusters = 1,
                .now_usec = FIXTURE_TIME - 60 * USEC_PER_DAY};
}

uint64_t status_fixture_boottime(void)
{
        return clock_boottime_usec() + FIXTURE_TIME + USEC_PER_SEC / 2 - clock_wall_usec();
}

void status_fixture_fail(StatusFixture *fixture, unsigned cluster, ClusterState state,
        OutcomeKind kind, const char *text)
{
        Record *record = &fixture->record[cluster];

        fixture->cluster[cluster].state = state;
        record->attempt.outcome.kind = kind;
        record->attempt.failures = 1;
        text_set(fixture->text[cluster], OUTCOME_TEXT_MAX, text);
        record->attempt.outcome.text = text[0] != '\0' ? fixture->text[cluster] : NULL;
}
