#include "ctl/prospect.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/dossier.h"
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
        const char *word = dossier_word(cluster, probe);
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
        char line[LINE_MAX], user[GRANT_ACCOUNT_MAX];
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

static void put_ledger(const Page *page, const ClusterConfig *cluster, const Probe *probe)
{
        const LedgerEntry *entry = &probe->ledger;
        char line[LINE_MAX], time[CLOCK_TEXT_SIZE];

        if (!probe->ledger_known)
                return;
        if (entry->fingerprint[0] == '\0')
                text_format(line, sizeof(line), "%s, empty", cluster->ledger);
        else if (entry->state != LEDGER_STATE_IMPORTED)
                text_format(line, sizeof(line), "%s: set %.12s of %s, not completed",
                        cluster->ledger, entry->fingerprint, entry->daemon);
        else
                text_format(line, sizeof(line), "%s: set %.12s, imported by %s at %s",
                        cluster->ledger, entry->fingerprint, entry->daemon,
                        clock_format_time(time, entry->imported_at_usec));
        page_sentence(page, DETAIL_INDENT, "ledger: ", line);
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
                put_ledger(page, cluster, &probes[i]);
                put_findings(page, &probes[i]);
                put_replication(page, &probes[i]);
        }
}

int prospect_show(FILE *stream, const Config *config, const Probe *probes, bool json)
{
        Page page = page_on(stream);

        if (json)
                return dossier_write(stream, config, probes);
        print_table(&page, config, probes);
        return fflush(stream) == 0 ? 0 : -EIO;
}
