/*
 * What a child process sends, as the manager uses it: a value that is not refused can be written to
 * the record and read back, and is displayable text in status, journal and metrics.
 *
 * The first byte of the input names a value that a child sends, a large letter one of zeros. Then
 * come changes of it: two bytes of the place, one of the length, and so many bytes.
 *
 * The log is replaced: it checks what it gets.
 */

#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-reader.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/probe/probe-json.h"
#include "daemon/probe/probe-table.h"
#include "daemon/record/record-file.h"
#include "daemon/source/source-verdict.h"
#include "daemon/status/journal-cluster.h"
#include "daemon/status/journal.h"
#include "daemon/status/metrics.h"
#include "daemon/varlink/status-json.h"
#include "daemon/watch/watch-report.h"
#include "tests/unit/status-fixture.h"

#define NOW FIXTURE_TIME

static const SetInfo set = {.fingerprint = FIXTURE_A, .not_after_usec = FIXTURE_TIME};

void log_open(void)
{
}

static void check_displayable(const char *text)
{
        MUST(text_is_displayable(text, strlen(text)));
}

void log_send(int priority, const char *message_id, const LogField *fields, size_t n_fields,
        const char *format, ...)
{
        CLEANUP(freep) char *text = NULL;
        va_list arguments;

        MUST(n_fields <= LOG_FIELDS_MAX);
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].value)
                        check_displayable(fields[i].value);
        va_start(arguments, format);
        MUST(vasprintf(&text, format, arguments) > 0);
        va_end(arguments);
}

static void check_record(const Record *record)
{
        CLEANUP(freep) char *once = NULL;
        CLEANUP(freep) char *twice = NULL;
        CLEANUP(record_done) Record again = RECORD_NULL;

        MUST(record_format(&once, record) == 0);
        MUST(record_parse(&again, once, strlen(once)) == 0);
        MUST(record_format(&twice, &again) == 0);
        MUST(strcmp(once, twice) == 0);
}

static void check_status(const StatusFixture *fixture)
{
        static const ManagerInfo info = {.version = "1", .pid = 1};
        CLEANUP(freep) char *text = NULL;
        CLEANUP(freep) char *samples = NULL;
        CLEANUP(json_freep) JsonValue *value = NULL;
        CLEANUP(metrics_freep) Metrics *metrics = NULL;

        MUST(status_json_format(&text, &info, &fixture->status) == 0);
        MUST(json_parse(&value, text, strlen(text)) == 0);
        MUST(metrics_new(&metrics) == 0);
        MUST(metrics_format(&samples, metrics, &fixture->status, "1") == 0);
        MUST(samples[strlen(samples) - 1] == '\n' && text_is_utf8(samples, strlen(samples)));
}

static void log_outcome(const ClusterStatus *cluster, const Outcome *outcome)
{
        if (outcome->kind == OUTCOME_IMPORTED)
                journal_import_succeeded(cluster, outcome);
        else if (outcome->kind == OUTCOME_ALREADY_CURRENT)
                journal_already_current(cluster, outcome);
        else
                journal_import_failed(cluster, outcome);
        journal_check(cluster, outcome);
        journal_server_changed(cluster, outcome);
        journal_drift(cluster, outcome);
        journal_replication(cluster);
        journal_replication_stopped(cluster);
}

/* As daemon/cluster/cluster.c does after an attempt, a check and a removal. */
static void use_outcome(const Outcome *outcome)
{
        static StatusFixture fixture;
        ClusterStatus *cluster = &fixture.cluster[0];
        Record *record = &fixture.record[0];

        if (!outcome_is_valid(outcome))
                return;
        status_fixture_make(&fixture);
        cluster->state = (ClusterState)(outcome->duration_usec % _CLUSTER_STATE_MAX);
        fixture.replication[0] = outcome->replication;
        (void)record_update_server(record, outcome);
        (void)record_update_from_ledger(record, outcome);
        (void)cluster_check_update(&cluster->check, outcome);
        check_status(&fixture);
        record_apply(record, &set, outcome, NOW);
        record->stop = outcome->ledger.stop;
        check_record(record);
        cluster_start_update(&cluster->start, record_is_stopped(record), outcome);
        check_status(&fixture);
        log_outcome(cluster, outcome);
        (void)record_update_stop(record, outcome);
        (void)record_update_proof(record, outcome);
        record_begin_removal(record, NOW);
        record_apply_removal(record, outcome);
        check_record(record);
        check_status(&fixture);
        journal_removal(cluster, outcome);
        record_done(record);
        kept_outcome_done(&cluster->check.failure);
        kept_outcome_done(&cluster->start.failure);
}

static void use_report(const Report *report)
{
        static StatusFixture fixture;

        if (!report_is_valid(report))
                return;
        status_fixture_make(&fixture);
        fixture.report = *report;
        fixture.material.state = report_material_state(report, USEC_PER_SEC, USEC_PER_MIN);
        check_status(&fixture);
        journal_material(&fixture.material, report_first(report) ? report_first(report)->text : "");
        journal_material_expiring(&fixture.material);
        MUST(!report_first(report) || report->n_problems > 0);
}

static void use_stop(const RecordStop *stop)
{
        static StatusFixture fixture;

        if (!record_stop_is_valid(stop))
                return;
        status_fixture_make(&fixture);
        fixture.record[0].stop = *stop;
        check_record(&fixture.record[0]);
        check_status(&fixture);
        journal_replication_stopped(&fixture.cluster[0]);
        (void)record_stop_may_follow(stop, NOW);
}

static void use_watch_report(const WatchReport *report)
{
        static StatusFixture fixture;

        status_fixture_make(&fixture);
        if (!watch_report_is_valid(report, sizeof(*report), &fixture.material_config, NOW))
                return;
        fixture.watch = report->status;
        check_status(&fixture);
        journal_watch(&fixture.material);
}

static void use_source_reply(const SourceReply *reply)
{
        static const LoginConfig sources[] = {
                {.host = "source.example", .port = 3306, .user = "r", .password = {"", "", "", ""}},
                {.host = "source.example",
                        .port = 3306,
                        .user = "r",
                        .password = {"", "/p", "", ""}},
        };

        if (!source_reply_is_valid(reply))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
                for (SourceProbe mode = SOURCE_PROBE_TRY; mode < _SOURCE_PROBE_MAX; mode++) {
                        Outcome outcome = {0};

                        (void)source_verdict_judge(&outcome, reply, &sources[i], mode);
                        MUST(outcome_is_valid(&outcome));
                }
}

static void print_probe(const Probe *probe, const ClusterConfig *cluster)
{
        CLEANUP(json_freep) JsonValue *value = NULL;
        CLEANUP(freep) char *json = NULL;
        CLEANUP(freep) char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        MUST(stream);
        MUST(probe_json_format(&json, cluster, probe) == 0);
        MUST(json_parse(&value, json, strlen(json)) == 0);
        MUST(probe_table_is_good(&value, 1) == probe_is_good(probe));
        MUST(probe_table_print(stream, &value, 1, false) == 0);
        MUST(probe_table_print(stream, &value, 1, true) == 0);
        MUST(fclose(stream) == 0 && strlen(text) == size);
        for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
                MUST(text_is_displayable(line, strcspn(line, "\n")));
}

static void use_probe(const Probe *probe)
{
        static StatusFixture fixture;
        ClusterConfig *cluster = &fixture.cluster_config[0];
        Probe evaluated = *probe;

        status_fixture_make(&fixture);
        cluster->enabled = true;
        cluster->ledger = "ops.ledger";
        cluster->server_ca = "";
        cluster->login.user = "ssl_importer";
        if (!probe_is_valid(probe))
                return;
        probe_evaluate(&evaluated, cluster);
        probe_evaluate_certificate(&evaluated, NOW);
        MUST(probe_is_valid(&evaluated));
        print_probe(&evaluated, cluster);
}

typedef union Value {
        Outcome outcome;
        Report report;
        RecordStop stop;
        WatchReport watch_report;
        SourceReply source_reply;
        Probe probe;
        uint8_t bytes[sizeof(Probe)];
} Value;

static const RecordStop good_stop = {
        .at_usec = NOW - USEC_PER_MIN,
        .fingerprint = FIXTURE_A,
        .mode = REPLICATION_RESTART,
        .running = true,
        .log_file = "binlog.000001",
        .log_position = 154,
        .completed = true,
};

static const Outcome good_outcome = {
        .kind = OUTCOME_REPLICATION_FAILED,
        .sql_errno = 1045,
        .text = "denied",
        .next_step = "GRANT EXECUTE",
        .warning = "the slow log keeps the key",
        .effect = {.committed = true, .newlines = NEWLINES_RAW},
        .server = {.address = "192.0.2.1",
                .uuid = "uuid",
                .version = "8.0.39",
                .tls_version = "TLSv1.3",
                .tls_cipher = "TLS_AES_256_GCM_SHA384"},
        .replication = {.known = true,
                .configured = true,
                .n_channels = 1,
                .io_running = "Connecting",
                .sql_running = "Yes",
                .tls = TRISTATE_YES,
                .io_errno = 2026,
                .io_error = "SSL connection error",
                .lag_null = true,
                .source_host = "source.example",
                .source_port = 3306,
                .checked_at_usec = NOW},
        .ledger = {.known = true,
                .newest = {.id = 7,
                        .state = LEDGER_STATE_IMPORTED,
                        .set = {.fingerprint = FIXTURE_A},
                        .imported_at_usec = NOW - USEC_PER_DAY,
                        .daemon = "host"}},
        .duration_usec = 100,
};

static const Report good_report = {
        .has_certificate = true,
        .certificate = {.subject = "CN = client",
                .issuer = "CN = authority",
                .serial = "0A",
                .sha256 = FIXTURE_A,
                .key_type = "rsa",
                .key_bits = 2048,
                .not_before_usec = NOW - USEC_PER_DAY,
                .not_after_usec = NOW + USEC_PER_DAY},
        .ca_count = 1,
        .ca_not_after_usec = NOW + 2 * USEC_PER_DAY,
        .fingerprint = FIXTURE_A,
        .expires_within_usec = 7 * USEC_PER_DAY,
        .failed = true,
        .n_problems = 2,
        .problems = {{.file = MATERIAL_KEY,
                             .rule = RULE_KEY_MISMATCH,
                             .severity = SEVERITY_ERROR,
                             .text = "no pair"},
                {.file = MATERIAL_CERT,
                        .rule = RULE_EXPIRES_SOON,
                        .severity = SEVERITY_WARNING,
                        .end_usec = NOW + USEC_PER_DAY,
                        .text = "expires soon"}},
};

static const WatchReport good_watch_report = {
        .event = WATCH_UNCHANGED,
        .due_usec = NOW,
        .status = {.watch = "inotify", .watching = true, .missed_events = 1},
};

static const SourceReply good_source_reply = {
        .result = SESSION_TLS,
        .error = {.number = 2026, .alert = 42, .text = "tls alert"},
        .with_password = true,
        .certificate = CERTIFICATE_UNTRUSTED,
        .certificate_reason = "no CA of the set",
        .password_reason = "no file",
};

static void set_good_probe(Probe *probe)
{
        *probe = (Probe){
                .server = good_outcome.server,
                .logged_in = true,
                .preflight_known = true,
                .preflight = {.role_known = true,
                        .server_uuid = "uuid",
                        .keeps_call = "general_log = ON",
                        .text_bytes = 1024,
                        .packet_limit = 1000},
                .procedures_known = true,
                .account = "ssl_importer@%",
                .visible = {true},
                .missing = "rds_set_external_source",
                .replication = good_outcome.replication,
                .ledger = good_outcome.ledger,
                .ledger_columns = {.known = true},
                .call_bytes = 4000,
                .source = PROBE_SOURCE_ACCEPTS,
                .set_fingerprint = FIXTURE_A,
                .server_certificate = {.result = CERTIFICATE_VERIFIED,
                        .subject = "CN = db",
                        .issuer = "CN = authority",
                        .names = {"db.example"},
                        .n_names = 9,
                        .chain_length = 2,
                        .not_before_usec = NOW - USEC_PER_DAY,
                        .not_after_usec = NOW + USEC_PER_DAY},
                .newlines = NEWLINES_RAW,
        };
}

/* Returns false if the name is none. */
static bool set_good(Value *ret, uint8_t name)
{
        memset(ret, 0, sizeof(*ret));
        switch (name) {
        case 'o':
                ret->outcome = good_outcome;
                ret->outcome.ledger.stop = good_stop;
                break;
        case 'r':
                ret->report = good_report;
                break;
        case 's':
                ret->stop = good_stop;
                break;
        case 'w':
                ret->watch_report = good_watch_report;
                break;
        case 'a':
                ret->source_reply = good_source_reply;
                break;
        case 'p':
                set_good_probe(&ret->probe);
                break;
        default:
                break;
        }
        return strchr("orswapORSWAP", name) != NULL;
}

static void apply_changes(Value *value, const uint8_t *data, size_t size)
{
        while (size >= 3) {
                size_t place = ((size_t)data[0] << 8 | data[1]) % sizeof(*value), length = data[2];

                data += 3;
                size -= 3;
                length = length < size ? length : size;
                if (length > sizeof(*value) - place)
                        length = sizeof(*value) - place;
                memcpy(value->bytes + place, data, length);
                data += length;
                size -= length;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static Value value;

        if (size == 0 || data[0] == '\0' || !set_good(&value, data[0]))
                return 0;
        apply_changes(&value, data + 1, size - 1);
        switch (tolower(data[0])) {
        case 'o':
                use_outcome(&value.outcome);
                break;
        case 'r':
                use_report(&value.report);
                break;
        case 's':
                use_stop(&value.stop);
                break;
        case 'w':
                use_watch_report(&value.watch_report);
                break;
        case 'a':
                use_source_reply(&value.source_reply);
                break;
        default:
                use_probe(&value.probe);
                break;
        }
        return 0;
}
