#include "daemon/probe/probe-json.h"

#include "common/json-writer.h"

static const char *replication_state(const ClusterConfig *cluster, const Probe *probe)
{
        const Replication *replication = &probe->replication;

        if (!probe->preflight_known)
                return "";
        if (cluster->replication == REPLICATION_IGNORE)
                return "ignored";
        if (probe->replication_error.number != 0)
                return "unreadable";
        if (!replication->known)
                return "";
        if (!replication->configured)
                return "none";
        return replication_is_running(replication)   ? "running"
                : replication_is_active(replication) ? "not_running"
                                                     : "stopped";
}

static const char *logs_word(const Probe *probe)
{
        if (!probe->preflight_known || probe->preflight.keeps_unknown)
                return "";
        return probe->preflight.keeps_call[0] == '\0' ? "clean" : "keep";
}

static void write_names(JsonWriter *writer, const ServerCertificate *certificate)
{
        json_key(writer, "names");
        json_open_array(writer);
        for (unsigned i = 0; i < certificate->n_names && i < SERVER_CERTIFICATE_NAMES_MAX; i++)
                json_string(writer, certificate->names[i]);
        json_close_array(writer);
}

static void write_certificate(JsonWriter *writer, const ServerCertificate *certificate)
{
        json_key(writer, "certificate");
        if (!server_certificate_is_known(certificate)) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        json_put_text(writer, "subject", certificate->subject);
        json_put_text(writer, "issuer", certificate->issuer);
        write_names(writer, certificate);
        json_put_integer(writer, "name_count", certificate->n_names);
        json_put_integer(writer, "not_before", certificate->not_before_usec);
        json_put_integer(writer, "not_after", certificate->not_after_usec);
        json_put_integer(writer, "chain_length", certificate->chain_length);
        json_put_boolean(writer, "verified", certificate->result == CERTIFICATE_VERIFIED);
        json_put_text(writer, "reason", certificate->reason);
        json_close_object(writer);
}

static void write_procedures(JsonWriter *writer, const Probe *probe)
{
        json_key(writer, "procedures");
        json_open_object(writer);
        for (unsigned i = 0; i < _PROBE_PROCEDURE_MAX; i++)
                json_put_known_boolean(writer, probe_procedure_name(i), probe->procedures_known,
                        probe->visible[i]);
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
        json_put_text(writer, "table", cluster->ledger);
        json_put_known_boolean(writer, "usable",
                probe->ledger.known || probe->ledger_error.number != 0,
                probe->ledger_error.number == 0);
        json_put_text(writer, "fingerprint", found ? entry->set.fingerprint : "");
        json_put_text(writer, "daemon", found ? entry->daemon : "");
        json_put_known_integer(writer, "imported_at", imported, entry->imported_at_usec);
        json_close_object(writer);
}

static void write_source(JsonWriter *writer, const ClusterConfig *cluster, const Probe *probe)
{
        json_key(writer, "source_probe");
        if (cluster->source_probe == SOURCE_PROBE_OFF) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        json_put_text(writer, "result", probe_source_to_string(probe->source));
        json_put_text(writer, "fingerprint", probe->set_fingerprint);
        json_close_object(writer);
}

static void write_findings(JsonWriter *writer, const Probe *probe)
{
        json_key(writer, "findings");
        json_open_array(writer);
        for (unsigned i = 0; i < probe->n_findings; i++) {
                const ProbeFinding *finding = &probe->findings[i];

                json_open_object(writer);
                json_put_text(writer, "outcome", outcome_kind_to_string(finding->outcome));
                json_put_text(writer, "severity", severity_to_string(finding->severity));
                json_put_known_integer(
                        writer, "sql_errno", finding->sql_errno != 0, finding->sql_errno);
                json_put_text(writer, "text", finding->text);
                json_put_text(writer, "next", finding->next_step);
                json_close_object(writer);
        }
        json_close_array(writer);
}

static void write_cluster(JsonWriter *writer, const ClusterConfig *cluster, const Probe *probe)
{
        bool preflight_known = probe->preflight_known;

        json_open_object(writer);
        json_put_text(writer, "name", cluster->name);
        json_put_text(writer, "host", cluster->login.host);
        json_put_integer(writer, "port", cluster->login.port);
        json_put_text(writer, "user", cluster->login.user);
        json_put_text(writer, "import", probe_result_word(cluster, probe));
        json_put_text(writer, "address", probe->server.address);
        json_put_text(writer, "tls_version", probe->server.tls_version);
        json_put_text(writer, "tls_cipher", probe->server.tls_cipher);
        write_certificate(writer, &probe->server_certificate);
        json_put_text(writer, "account", probe->account);
        json_put_text(writer, "server_version", probe->server.version);
        json_put_known_boolean(writer, "writer", preflight_known && probe->preflight.role_known,
                !probe->preflight.reader);
        json_put_text(writer, "logs", logs_word(probe));
        json_put_text(writer, "keeps_call", probe->preflight.keeps_call);
        write_procedures(writer, probe);
        write_ledger(writer, cluster, probe);
        json_put_text(writer, "replication_state", replication_state(cluster, probe));
        replication_write(writer, &probe->replication, false);
        write_source(writer, cluster, probe);
        json_put_text(writer, "payload_newlines",
                probe->newlines != NEWLINES_AUTO ? newlines_to_string(probe->newlines) : "");
        json_put_known_integer(
                writer, "duration_usec", probe->duration_usec > 0, probe->duration_usec);
        write_findings(writer, probe);
        json_close_object(writer);
}

int probe_json_format(char **ret, const ClusterConfig *cluster, const Probe *probe)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        write_cluster(writer, cluster, probe);
        return json_writer_finish(writer, ret);
}
