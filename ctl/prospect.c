#include "ctl/prospect.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"
#include "ctl/document.h"
#include "ctl/page.h"
#include "daemon/replication.h"

/* Columns: two blanks, the name, and then these; a longer name has a line of its own. */
#define NAME_MIN          8
#define NAME_MAX          22
#define IMPORT_WIDTH      10
#define TLS_WIDTH         5
#define CERTIFICATE_WIDTH 13
#define ROLE_WIDTH        8
#define PROCEDURE_WIDTH   11
#define LOGS_WIDTH        7
#define REPLICATION_WIDTH 13

#define DETAIL_INDENT 6
#define LINE_MAX      800

static const char *word_of(const ClusterConfig *cluster, const Probe *probe)
{
        if (!cluster->enabled)
                return "disabled";
        return probe_is_good(probe) ? "works" : "fails";
}

static const char *replication_word(const ClusterConfig *cluster, const Probe *probe)
{
        const Replication *replication = &probe->replication;

        if (cluster->replication == REPLICATION_IGNORE)
                return "ignored";
        if (probe->replication_errno != 0)
                return "unreadable";
        if (!replication->known)
                return "-";
        if (!replication->configured)
                return "none";
        return replication_is_running(replication)   ? "running"
                : replication_is_active(replication) ? "not running"
                                                     : "stopped";
}

static const char *form_word(const Probe *probe)
{
        return probe->newlines == NEWLINES_AUTO ? "not known" : newlines_to_string(probe->newlines);
}

/* A fact, or a dash while it is not known. */
static void put(const Page *page, bool known, const char *fact, int width)
{
        fprintf(page->stream, "%-*s", width, known ? fact : "-");
}

static void put_row(
        const Page *page, int name_width, const ClusterConfig *cluster, const Probe *probe)
{
        bool looked = probe->looked, seen = presented_is_seen(&probe->presented);
        const char *version = strncmp(probe->tls_version, "TLSv", 4) == 0 ? probe->tls_version + 4
                                                                          : probe->tls_version;
        const char *word = word_of(cluster, probe);
        const Preflight *preflight = &probe->preflight;
        char date[CLOCK_TEXT_SIZE];

        fprintf(page->stream, "  %-*s", name_width, cluster->name);
        if (strlen(cluster->name) > NAME_MAX)
                fprintf(page->stream, "\n  %-*s", name_width, "");
        fputs("  ", page->stream);
        page_word(page, word, cluster->enabled ? IMPORT_WIDTH : 0);
        if (!cluster->enabled) {
                fputc('\n', page->stream);
                return;
        }
        put(page, probe->logged_in, version, TLS_WIDTH);
        put(page, seen, clock_format_date(date, probe->presented.not_after_usec),
                CERTIFICATE_WIDTH);
        put(page, looked && preflight->says_role, preflight->reader ? "reader" : "writer",
                ROLE_WIDTH);
        put(page, probe->listed, probe->visible[PROBE_IMPORT] ? "visible" : "missing",
                PROCEDURE_WIDTH);
        put(page, looked && !preflight->keeps_unsaid,
                preflight->keeps_call[0] == '\0' ? "clean" : "keep", LOGS_WIDTH);
        put(page, looked, replication_word(cluster, probe), REPLICATION_WIDTH);
        fprintf(page->stream, "%s\n", form_word(probe));
}

/* Where it led to, and as whom. */
static void put_server(const Page *page, const ClusterConfig *cluster, const Probe *probe)
{
        char line[LINE_MAX], user[PROBE_ACCOUNT_MAX];
        bool numeric = strcmp(cluster->host, probe->address) == 0;

        text_format(line, sizeof(line), "%s port %u%s%s", cluster->host, cluster->port,
                probe->address[0] == '\0' || numeric ? "" : " is ", numeric ? "" : probe->address);
        page_sentence(page, DETAIL_INDENT, "host:  ", line);
        if (!probe->logged_in)
                return;
        text_set(user, sizeof(user), probe->listed ? probe->account : cluster->user);
        text_format(line, sizeof(line), "as %s into %s, %s", user, probe->server_version,
                probe->tls_cipher);
        page_sentence(page, DETAIL_INDENT, "login: ", line);
}

/* What the server says of itself, and whether somebody whom we trust stands behind it. */
static void put_certificate(const Page *page, const Probe *probe)
{
        const Presented *presented = &probe->presented;
        char line[LINE_MAX], names[3 * PRESENTED_NAME_MAX / 2], date[CLOCK_TEXT_SIZE];

        if (presented_is_seen(presented))
                text_format(line, sizeof(line), "%s%s, issued by %s, for %s, valid until %s",
                        presented->verdict == PRESENTED_VERIFIED ? "" : "not verified: ",
                        presented->subject, presented->issuer,
                        presented_names(names, sizeof(names), presented),
                        clock_format_date(date, presented->not_after_usec));
        else
                text_format(line, sizeof(line), "%s%s",
                        presented->reason[0] != '\0' ? "not seen: " : "", presented->reason);
        page_sentence(page, DETAIL_INDENT, "cert:  ", line);
}

static void put_findings(const Page *page, const Probe *probe)
{
        for (unsigned i = 0; i < probe->n_findings; i++) {
                const ProbeFinding *finding = &probe->findings[i];
                char text[LINE_MAX];

                text_format(text, sizeof(text), "%s: %s", outcome_kind_to_string(finding->outcome),
                        finding->text);
                page_sentence(page, DETAIL_INDENT,
                        finding->severity == SEVERITY_ERROR ? "why:   " : "note:  ", text);
                page_sentence(page, DETAIL_INDENT, "next:  ", finding->next);
        }
}

/* A replica that does not run is no obstacle, but who looks wants to see the reason. */
static void put_replication(const Page *page, const Probe *probe)
{
        const Replication *replication = &probe->replication;

        if (!replication->configured || replication_is_running(replication))
                return;
        page_sentence(page, DETAIL_INDENT, "replica:  ",
                replication->io_error[0] != '\0' ? replication->io_error : replication->sql_error);
}

static int name_width_of(const Config *config)
{
        size_t width = NAME_MIN;

        for (size_t i = 0; i < config->n_clusters; i++) {
                size_t length = strlen(config->clusters[i].name);

                width = length > width && length <= NAME_MAX ? length : width;
        }
        return (int)width;
}

static void print_table(const Page *page, const Config *config, const Probe *probes)
{
        int name_width = name_width_of(config);
        char heading[160];

        snprintf(heading, sizeof(heading), "  %-*s  %-*s%-*s%-*s%-*s%-*s%-*s%-*s%s", name_width,
                "CLUSTER", IMPORT_WIDTH, "IMPORT", TLS_WIDTH, "TLS", CERTIFICATE_WIDTH,
                "CERTIFICATE", ROLE_WIDTH, "ROLE", PROCEDURE_WIDTH, "PROCEDURE", LOGS_WIDTH, "LOGS",
                REPLICATION_WIDTH, "REPLICATION", "FORM");
        page_heading(page, heading);
        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];

                put_row(page, name_width, cluster, &probes[i]);
                if (!cluster->enabled)
                        continue;
                put_server(page, cluster, &probes[i]);
                put_certificate(page, &probes[i]);
                put_findings(page, &probes[i]);
                put_replication(page, &probes[i]);
        }
}

bool prospect_is_good(const Config *config, const Probe *probes)
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

static void write_names(JsonWriter *writer, const Presented *presented)
{
        json_key(writer, "names");
        json_open_array(writer);
        for (unsigned i = 0; i < presented->n_names && i < PRESENTED_NAMES_MAX; i++)
                json_string(writer, presented->names[i]);
        json_close_array(writer);
}

static void write_certificate(JsonWriter *writer, const Presented *presented)
{
        bool seen = presented_is_seen(presented);

        json_key(writer, "certificate");
        if (presented->verdict == PRESENTED_UNASKED) {
                json_null(writer);
                return;
        }
        json_open_object(writer);
        write_string(writer, "subject", seen, presented->subject);
        write_string(writer, "issuer", seen, presented->issuer);
        write_names(writer, presented);
        write_integer(writer, "name_count", seen, presented->n_names);
        write_integer(writer, "not_before", seen, presented->not_before_usec);
        write_integer(writer, "not_after", seen, presented->not_after_usec);
        write_integer(writer, "chain_length", seen, presented->chain_length);
        write_boolean(writer, "verified", true, presented->verdict == PRESENTED_VERIFIED);
        write_string(writer, "reason", true, presented->reason);
        json_close_object(writer);
}

static void write_procedures(JsonWriter *writer, const Probe *probe)
{
        json_key(writer, "procedures");
        json_open_object(writer);
        for (unsigned i = 0; i < _PROBE_PROCEDURE_MAX; i++)
                write_boolean(writer, probe_procedure_name(i), probe->listed, probe->visible[i]);
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
                write_string(writer, "next", true, finding->next);
                json_close_object(writer);
        }
        json_close_array(writer);
}

static void write_cluster(JsonWriter *writer, const ClusterConfig *cluster, const Probe *probe)
{
        bool looked = probe->looked;
        char host[SETTING_VALUE_MAX];

        text_set(host, sizeof(host), cluster->host);
        json_open_object(writer);
        write_string(writer, "name", true, cluster->name);
        write_string(writer, "host", true, host);
        write_integer(writer, "port", true, cluster->port);
        write_string(writer, "import", true, word_of(cluster, probe));
        write_string(writer, "address", true, probe->address);
        write_string(writer, "tls_version", true, probe->tls_version);
        write_string(writer, "tls_cipher", true, probe->tls_cipher);
        write_certificate(writer, &probe->presented);
        write_string(writer, "account", true, probe->account);
        write_string(writer, "server_version", true, probe->server_version);
        write_boolean(
                writer, "writer", looked && probe->preflight.says_role, !probe->preflight.reader);
        write_string(writer, "keeps_call", true, probe->preflight.keeps_call);
        write_procedures(writer, probe);
        write_replication(writer, probe);
        write_string(writer, "payload_newlines", probe->newlines != NEWLINES_AUTO,
                newlines_to_string(probe->newlines));
        write_integer(writer, "duration_usec", probe->duration_usec > 0, probe->duration_usec);
        write_findings(writer, probe);
        json_close_object(writer);
}

static int write_document(FILE *stream, const Config *config, const Probe *probes)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        write_boolean(writer, "good", true, prospect_is_good(config, probes));
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < config->n_clusters; i++)
                write_cluster(writer, &config->clusters[i], &probes[i]);
        json_close_array(writer);
        json_close_object(writer);
        return document_finish(stream, writer);
}

int prospect_show(FILE *stream, const Config *config, const Probe *probes, bool json)
{
        Page page = page_on(stream);

        if (json)
                return write_document(stream, config, probes);
        print_table(&page, config, probes);
        return fflush(stream) == 0 ? 0 : -EIO;
}
