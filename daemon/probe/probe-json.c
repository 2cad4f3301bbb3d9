#include "daemon/probe/probe-json.h"

#include <string.h>

#include "common/json-writer.h"
#include "common/text.h"

const char *probe_result_word(const ClusterConfig *cluster, const Probe *probe)
{
        if (!cluster->enabled)
                return "disabled";
        return probe_is_good(probe) ? "works" : "fails";
}

bool probe_all_good(const Config *config, const Probe *probes)
{
        for (size_t i = 0; i < config->n_clusters; i++)
                if (config->clusters[i].enabled && !probe_is_good(&probes[i]))
                        return false;
        return true;
}

static void write_string(JsonWriter *writer, const char *key, bool known, const char *text)
{
        json_key(writer, key);
        json_string(writer, known && text[0] != '\0' ? text : NULL);
}

static void write_integer(JsonWriter *writer, const char *key, bool known, uint64_t integer)
{
        json_key(writer, key);
        if (known)
                json_integer(writer, (int64_t)integer);
        else
                json_null(writer);
}

static void write_boolean(JsonWriter *writer, const char *key, bool known, bool boolean)
{
        json_key(writer, key);
        if (known)
                json_boolean(writer, boolean);
        else
                json_null(writer);
}

static void write_names(JsonWriter *writer, const ServerCertificate *server_certificate)
{
        json_key(writer, "names");
        json_open_array(writer);
        for (unsigned i = 0; i < server_certificate->n_names && i < SERVER_CERTIFICATE_NAMES_MAX;
                i++)
                json_string(writer, server_certificate->names[i]);
        json_close_array(writer);
}

static void write_certificate(JsonWriter *writer, const ServerCertificate *server_certificate)
{
        bool seen = server_certificate_is_known(server_certificate);

        json_key(writer, "certificate");
        if (server_certificate->verdict == CERTIFICATE_NOT_REQUESTED) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        write_string(writer, "subject", seen, server_certificate->subject);
        write_string(writer, "issuer", seen, server_certificate->issuer);
        write_names(writer, server_certificate);
        write_integer(writer, "name_count", seen, server_certificate->n_names);
        write_integer(writer, "not_before", seen, server_certificate->not_before_usec);
        write_integer(writer, "not_after", seen, server_certificate->not_after_usec);
        write_integer(writer, "chain_length", seen, server_certificate->chain_length);
        write_boolean(
                writer, "verified", true, server_certificate->verdict == CERTIFICATE_VERIFIED);
        write_string(writer, "reason", true, server_certificate->reason);
        json_close_object(writer);
}

static void write_procedures(JsonWriter *writer, const Probe *probe)
{
        json_key(writer, "procedures");
        json_open_object(writer);
        for (unsigned i = 0; i < _PROBE_PROCEDURE_MAX; i++)
                write_boolean(writer, probe_procedure_name(i), probe->procedures_known,
                        probe->visible[i]);
        json_close_object(writer);
}

static void write_replication(JsonWriter *writer, const Probe *probe)
{
        const Replication *replication = &probe->replication;
        bool configured = replication->configured;

        json_key(writer, "replication");
        if (!replication->known) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        write_boolean(writer, "configured", true, configured);
        write_string(writer, "io_running", configured, replication->io_running);
        write_string(writer, "sql_running", configured, replication->sql_running);
        write_boolean(writer, "tls", replication->tls != TRISTATE_UNKNOWN,
                replication->tls == TRISTATE_YES);
        write_integer(writer, "io_errno", configured, replication->io_errno);
        write_string(writer, "io_error", configured, replication->io_error);
        json_close_object(writer);
}

static void write_ledger(JsonWriter *writer, const ClusterConfig *cluster, const Probe *probe)
{
        const LedgerEntry *entry = &probe->ledger.newest;
        bool found = probe->ledger.known && entry->set.fingerprint[0] != '\0';
        bool imported = found && entry->state == LEDGER_STATE_IMPORTED;

        json_key(writer, "ledger");
        if (cluster->ledger[0] == '\0') {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        write_string(writer, "table", true, cluster->ledger);
        write_boolean(writer, "usable", probe->ledger.known || probe->ledger_error.number != 0,
                probe->ledger_error.number == 0);
        write_string(writer, "fingerprint", found, entry->set.fingerprint);
        write_string(writer, "daemon", found, entry->daemon);
        write_integer(writer, "imported_at", imported, entry->imported_at_usec);
        json_close_object(writer);
}

static void write_findings(JsonWriter *writer, const Probe *probe)
{
        json_key(writer, "findings");
        json_open_array(writer);
        for (unsigned i = 0; i < probe->n_findings; i++) {
                const ProbeFinding *finding = &probe->findings[i];

                json_open_object(writer);
                write_string(writer, "outcome", true, outcome_kind_to_string(finding->outcome));
                write_string(writer, "severity", true, severity_to_string(finding->severity));
                write_integer(writer, "sql_errno", finding->sql_errno != 0, finding->sql_errno);
                write_string(writer, "text", true, finding->text);
                write_string(writer, "next", true, finding->next_step);
                json_close_object(writer);
        }
        json_close_array(writer);
}

static void write_cluster(JsonWriter *writer, const ClusterConfig *cluster, const Probe *probe)
{
        bool preflight_known = probe->preflight_known;
        char host[CONFIG_VALUE_MAX];

        text_set(host, sizeof(host), cluster->host);
        json_open_object(writer);
        write_string(writer, "name", true, cluster->name);
        write_string(writer, "host", true, host);
        write_integer(writer, "port", true, cluster->port);
        write_string(writer, "import", true, probe_result_word(cluster, probe));
        write_string(writer, "address", true, probe->server.address);
        write_string(writer, "tls_version", true, probe->server.tls_version);
        write_string(writer, "tls_cipher", true, probe->server.tls_cipher);
        write_certificate(writer, &probe->server_certificate);
        write_string(writer, "account", true, probe->account);
        write_string(writer, "server_version", true, probe->server.version);
        write_boolean(writer, "writer", preflight_known && probe->preflight.says_role,
                !probe->preflight.reader);
        write_string(writer, "keeps_call", true, probe->preflight.keeps_call);
        write_procedures(writer, probe);
        write_ledger(writer, cluster, probe);
        write_replication(writer, probe);
        write_string(writer, "payload_newlines", probe->newlines != NEWLINES_AUTO,
                newlines_to_string(probe->newlines));
        write_integer(writer, "duration_usec", probe->duration_usec > 0, probe->duration_usec);
        write_findings(writer, probe);
        json_close_object(writer);
}

int probe_json_print(FILE *stream, const Config *config, const Probe *probes)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        write_boolean(writer, "good", true, probe_all_good(config, probes));
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < config->n_clusters; i++)
                write_cluster(writer, &config->clusters[i], &probes[i]);
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_print(stream, writer);
}
