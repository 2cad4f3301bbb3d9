#include "daemon/probe/probe-table.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/terminal.h"
#include "common/text.h"
#include "daemon/probe/probe-json.h"

/* Columns: two blanks, the name, then these; a name longer than NAME_MAX has its own line. */
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

static const char *replication_word(const ClusterConfig *cluster, const Probe *probe)
{
        const Replication *replication = &probe->replication;

        if (cluster->replication == REPLICATION_IGNORE)
                return "ignored";
        if (probe->replication_error.number != 0)
                return "unreadable";
        if (!replication->known)
                return "-";
        if (!replication->configured)
                return "none";
        return replication_is_running(replication)   ? "running"
                : replication_is_active(replication) ? "not running"
                                                     : "stopped";
}

/* Prints a fact, or a dash if it is not known. */
static void put(const Terminal *terminal, bool known, const char *fact, int width)
{
        fprintf(terminal->stream, "%-*s", width, known ? fact : "-");
}

static void put_row(
        const Terminal *terminal, int name_width, const ClusterConfig *cluster, const Probe *probe)
{
        const ServerCertificate *certificate = &probe->server_certificate;
        bool preflight_known = probe->preflight_known;
        const char *version = strncmp(probe->server.tls_version, "TLSv", 4) == 0
                ? probe->server.tls_version + 4
                : probe->server.tls_version;
        const char *word = probe_result_word(cluster, probe);
        const Preflight *preflight = &probe->preflight;
        char date[CLOCK_TEXT_SIZE];

        fprintf(terminal->stream, "  %-*s", name_width, cluster->name);
        if (strlen(cluster->name) > NAME_MAX)
                fprintf(terminal->stream, "\n  %-*s", name_width, "");
        fputs("  ", terminal->stream);
        terminal_word(terminal, word, cluster->enabled ? IMPORT_WIDTH : 0);
        if (!cluster->enabled) {
                fputc('\n', terminal->stream);
                return;
        }
        put(terminal, probe->logged_in, version, TLS_WIDTH);
        put(terminal, server_certificate_is_known(certificate),
                clock_format_date(date, certificate->not_after_usec), CERTIFICATE_WIDTH);
        put(terminal, preflight_known && preflight->role_known,
                preflight->reader ? "reader" : "writer", ROLE_WIDTH);
        put(terminal, probe->procedures_known, probe->visible[PROBE_IMPORT] ? "visible" : "missing",
                PROCEDURE_WIDTH);
        put(terminal, preflight_known && !preflight->keeps_unknown,
                preflight->keeps_call[0] == '\0' ? "clean" : "keep", LOGS_WIDTH);
        put(terminal, preflight_known, replication_word(cluster, probe), REPLICATION_WIDTH);
        fprintf(terminal->stream, "%s\n",
                probe->newlines == NEWLINES_AUTO ? "not known"
                                                 : newlines_to_string(probe->newlines));
}

/* The address behind host, and the account. */
static void put_server(const Terminal *terminal, const ClusterConfig *cluster, const Probe *probe)
{
        char line[LINE_MAX], user[SQL_GRANT_ACCOUNT_MAX];
        bool numeric = strcmp(cluster->login.host, probe->server.address) == 0;

        text_format(line, sizeof(line), "%s port %u%s%s", cluster->login.host, cluster->login.port,
                probe->server.address[0] == '\0' || numeric ? "" : " is ",
                numeric ? "" : probe->server.address);
        terminal_paragraph(terminal, DETAIL_INDENT, "host:  ", line);
        if (!probe->logged_in)
                return;
        text_set(
                user, sizeof(user), probe->procedures_known ? probe->account : cluster->login.user);
        text_format(line, sizeof(line), "as %s into %s, %s", user, probe->server.version,
                probe->server.tls_cipher);
        terminal_paragraph(terminal, DETAIL_INDENT, "login: ", line);
}

/* Data from the peer is displayed; only a verified certificate is trusted. */
static void put_certificate(const Terminal *terminal, const Probe *probe)
{
        const ServerCertificate *certificate = &probe->server_certificate;
        char line[LINE_MAX], names[3 * SERVER_CERTIFICATE_NAME_MAX / 2], date[CLOCK_TEXT_SIZE];

        if (!server_certificate_is_known(certificate))
                return;
        text_format(line, sizeof(line), "%s%s, issued by %s, for %s, valid until %s",
                certificate->result == CERTIFICATE_VERIFIED ? "" : "not verified: ",
                certificate->subject, certificate->issuer,
                server_certificate_names(names, sizeof(names), certificate),
                clock_format_date(date, certificate->not_after_usec));
        terminal_paragraph(terminal, DETAIL_INDENT, "cert:  ", line);
}

/* Every other answer is a finding. */
static void put_source(const Terminal *terminal, const Probe *probe)
{
        char line[LINE_MAX];

        if (probe->source != PROBE_SOURCE_ACCEPTS)
                return;
        text_format(line, sizeof(line), "accepts the set on disk, %.12s", probe->set_fingerprint);
        terminal_paragraph(terminal, DETAIL_INDENT, "source: ", line);
}

static void put_findings(const Terminal *terminal, const Probe *probe)
{
        for (unsigned i = 0; i < probe->n_findings; i++) {
                const ProbeFinding *finding = &probe->findings[i];
                char text[LINE_MAX];

                text_format(text, sizeof(text), "%s: %s", outcome_kind_to_string(finding->outcome),
                        finding->text);
                terminal_paragraph(terminal, DETAIL_INDENT,
                        finding->severity == SEVERITY_ERROR ? "why:   " : "note:  ", text);
                terminal_paragraph(terminal, DETAIL_INDENT, "next:  ", finding->next_step);
        }
}

/* A replica that does not run prevents no import; its error is printed nevertheless. */
static void put_replication(const Terminal *terminal, const Probe *probe)
{
        const Replication *replication = &probe->replication;

        if (!replication->configured || replication_is_running(replication))
                return;
        terminal_paragraph(terminal, DETAIL_INDENT, "replica:  ",
                replication->io_error[0] != '\0' ? replication->io_error : replication->sql_error);
}

static void put_ledger(const Terminal *terminal, const ClusterConfig *cluster, const Probe *probe)
{
        const LedgerEntry *entry = &probe->ledger.newest;
        char line[LINE_MAX], time[CLOCK_TEXT_SIZE];

        if (!probe->ledger.known)
                return;
        if (entry->set.fingerprint[0] == '\0')
                text_format(line, sizeof(line), "%s, empty", cluster->ledger);
        else if (entry->state != LEDGER_STATE_IMPORTED)
                text_format(line, sizeof(line), "%s: set %.12s of %s, not completed",
                        cluster->ledger, entry->set.fingerprint, entry->daemon);
        else
                text_format(line, sizeof(line), "%s: set %.12s, imported by %s at %s",
                        cluster->ledger, entry->set.fingerprint, entry->daemon,
                        clock_format_time(time, entry->imported_at_usec));
        terminal_paragraph(terminal, DETAIL_INDENT, "ledger: ", line);
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

static void print_table(const Terminal *terminal, const Config *config, const Probe *probes)
{
        int name_width = name_width_of(config);
        char heading[160];

        snprintf(heading, sizeof(heading), "  %-*s  %-*s%-*s%-*s%-*s%-*s%-*s%-*s%s", name_width,
                "CLUSTER", IMPORT_WIDTH, "IMPORT", TLS_WIDTH, "TLS", CERTIFICATE_WIDTH,
                "CERTIFICATE", ROLE_WIDTH, "ROLE", PROCEDURE_WIDTH, "PROCEDURE", LOGS_WIDTH, "LOGS",
                REPLICATION_WIDTH, "REPLICATION", "FORM");
        terminal_heading(terminal, heading);
        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];

                put_row(terminal, name_width, cluster, &probes[i]);
                if (!cluster->enabled)
                        continue;
                put_server(terminal, cluster, &probes[i]);
                put_certificate(terminal, &probes[i]);
                put_ledger(terminal, cluster, &probes[i]);
                put_source(terminal, &probes[i]);
                put_findings(terminal, &probes[i]);
                put_replication(terminal, &probes[i]);
        }
}

int probe_table_print(FILE *stream, const Config *config, const Probe *probes, bool json)
{
        Terminal terminal = terminal_open(stream);

        if (json)
                return probe_json_print(stream, config, probes);
        print_table(&terminal, config, probes);
        return fflush(stream) == 0 ? 0 : -EIO;
}
