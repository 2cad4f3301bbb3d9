#include "daemon/probe/probe-table.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-writer.h"
#include "common/terminal.h"
#include "common/text.h"
#include "daemon/config/config.h"
#include "daemon/mysql/rds.h"
#include "daemon/tls/server-certificate.h"

/* Columns: two blanks, the name, then these; a name longer than NAME_WIDTH_MAX has its own line. */
#define NAME_WIDTH_MIN    8
#define NAME_WIDTH_MAX    22
#define IMPORT_WIDTH      10
#define TLS_WIDTH         5
#define CERTIFICATE_WIDTH 13
#define ROLE_WIDTH        8
#define PROCEDURE_WIDTH   11
#define LOGS_WIDTH        7
#define REPLICATION_WIDTH 13

#define DETAIL_INDENT 6
#define LINE_SIZE     800
#define WORD_SIZE     64
#define NAMES_SIZE    384

static bool is_disabled(const JsonValue *cluster)
{
        char word[WORD_SIZE];

        json_get_text(word, sizeof(word), cluster, "import");
        return strcmp(word, "disabled") == 0;
}

static uint64_t time_of(const JsonValue *object, const char *key)
{
        int64_t usec = 0;

        return json_get_integer(&usec, json_member(object, key)) && usec > 0 ? (uint64_t)usec : 0;
}

/* Prints a fact, or a dash if it is not known: "". */
static void put(const Terminal *terminal, const char *fact, int width)
{
        fprintf(terminal->stream, "%-*s", width, fact[0] != '\0' ? fact : "-");
}

static void put_text(const Terminal *terminal, const JsonValue *object, const char *key,
        const char *skip, int width)
{
        char word[WORD_SIZE];
        size_t length = strlen(skip);

        json_get_text(word, sizeof(word), object, key);
        for (char *at = word; (at = strchr(at, '_'));)
                *at = ' ';
        put(terminal, strncmp(word, skip, length) == 0 ? word + length : word, width);
}

static void put_boolean(const Terminal *terminal, const JsonValue *value, const char *if_true,
        const char *if_false, int width)
{
        bool known, is_true = false;

        known = json_get_boolean(&is_true, value);
        put(terminal, !known ? "" : is_true ? if_true : if_false, width);
}

static void put_date(const Terminal *terminal, uint64_t usec, int width)
{
        char date[CLOCK_TEXT_SIZE];

        put(terminal, usec > 0 ? clock_format_date(date, usec) : "", width);
}

static void put_row(const Terminal *terminal, int name_width, const JsonValue *cluster)
{
        const JsonValue *procedures = json_member(cluster, "procedures");
        bool disabled = is_disabled(cluster);
        char name[CONFIG_NAME_MAX], word[WORD_SIZE];

        json_get_text(name, sizeof(name), cluster, "name");
        json_get_text(word, sizeof(word), cluster, "import");
        fprintf(terminal->stream, "  %-*s", name_width, name);
        if (strlen(name) > NAME_WIDTH_MAX)
                fprintf(terminal->stream, "\n  %-*s", name_width, "");
        fputs("  ", terminal->stream);
        terminal_word(terminal, word, disabled ? 0 : IMPORT_WIDTH);
        if (disabled) {
                fputc('\n', terminal->stream);
                return;
        }
        put_text(terminal, cluster, "tls_version", "TLSv", TLS_WIDTH);
        put_date(terminal, time_of(json_member(cluster, "certificate"), "not_after"),
                CERTIFICATE_WIDTH);
        put_boolean(terminal, json_member(cluster, "writer"), "writer", "reader", ROLE_WIDTH);
        put_boolean(terminal, json_member(procedures, RDS_IMPORT_PROCEDURE), "visible", "missing",
                PROCEDURE_WIDTH);
        put_text(terminal, cluster, "logs", "", LOGS_WIDTH);
        put_text(terminal, cluster, "replication_state", "", REPLICATION_WIDTH);
        json_get_text(word, sizeof(word), cluster, "payload_newlines");
        fprintf(terminal->stream, "%s\n", word[0] != '\0' ? word : "not known");
}

/* The address behind host, and the account. */
static void put_server(const Terminal *terminal, const JsonValue *cluster)
{
        char line[LINE_SIZE], host[256], address[WORD_SIZE], user[256], version[128],
                cipher[WORD_SIZE];
        int64_t port = 0;
        bool shown;

        json_get_text(host, sizeof(host), cluster, "host");
        json_get_text(address, sizeof(address), cluster, "address");
        (void)json_get_integer(&port, json_member(cluster, "port"));
        shown = address[0] != '\0' && strcmp(host, address) != 0;
        text_format(line, sizeof(line), "%s port %lld%s%s", host, (long long)port,
                shown ? " is " : "", shown ? address : "");
        terminal_paragraph(terminal, DETAIL_INDENT, "host:  ", line);
        json_get_text(cipher, sizeof(cipher), cluster, "tls_cipher");
        if (cipher[0] == '\0') /* no login */
                return;
        json_get_text(version, sizeof(version), cluster, "server_version");
        json_get_text(user, sizeof(user), cluster, "account");
        if (user[0] == '\0')
                json_get_text(user, sizeof(user), cluster, "user");
        text_format(line, sizeof(line), "as %s into %s, %s", user, version, cipher);
        terminal_paragraph(terminal, DETAIL_INDENT, "login: ", line);
}

/* "a, b and 3 more" */
static const char *format_names(char buffer[static NAMES_SIZE], const JsonValue *certificate)
{
        const JsonValue *names = json_member(certificate, "names");
        ServerCertificate shown = {0};
        int64_t n = 0;

        for (size_t i = 0; i < json_size(names) && i < SERVER_CERTIFICATE_NAMES_MAX; i++) {
                const char *name = json_get_string(json_element(names, i));

                text_set(shown.names[i], sizeof(shown.names[i]), name ? name : "");
        }
        if (json_get_integer(&n, json_member(certificate, "name_count")) && n > 0 && n <= UINT_MAX)
                shown.n_names = (unsigned)n;
        return server_certificate_names(buffer, NAMES_SIZE, &shown);
}

/* Data from the peer is displayed; only a verified certificate is trusted. */
static void put_certificate(const Terminal *terminal, const JsonValue *cluster)
{
        const JsonValue *certificate = json_member(cluster, "certificate");
        char line[2 * LINE_SIZE], names[NAMES_SIZE], date[CLOCK_TEXT_SIZE];
        char subject[REPORT_NAME_MAX], issuer[REPORT_NAME_MAX];
        bool verified = false;

        if (!json_is_object(certificate))
                return;
        (void)json_get_boolean(&verified, json_member(certificate, "verified"));
        json_get_text(subject, sizeof(subject), certificate, "subject");
        json_get_text(issuer, sizeof(issuer), certificate, "issuer");
        text_format(line, sizeof(line), "%s%s, issued by %s, for %s, valid until %s",
                verified ? "" : "not verified: ", subject, issuer, format_names(names, certificate),
                clock_format_date(date, time_of(certificate, "not_after")));
        terminal_paragraph(terminal, DETAIL_INDENT, "cert:  ", line);
}

/* Every other answer is a finding. */
static void put_source(const Terminal *terminal, const JsonValue *cluster)
{
        const JsonValue *source = json_member(cluster, "source_probe");
        char line[LINE_SIZE], word[WORD_SIZE], fingerprint[REPORT_FINGERPRINT_MAX];

        json_get_text(word, sizeof(word), source, "result");
        if (strcmp(word, "accepts") != 0)
                return;
        json_get_text(fingerprint, sizeof(fingerprint), source, "fingerprint");
        text_format(line, sizeof(line), "accepts the set on disk, %.12s", fingerprint);
        terminal_paragraph(terminal, DETAIL_INDENT, "source: ", line);
}

static void put_findings(const Terminal *terminal, const JsonValue *cluster)
{
        const JsonValue *findings = json_member(cluster, "findings");

        for (size_t i = 0; i < json_size(findings); i++) {
                const JsonValue *finding = json_element(findings, i);
                char line[LINE_SIZE], outcome[WORD_SIZE], severity[WORD_SIZE];
                char text[OUTCOME_TEXT_MAX], next[OUTCOME_NEXT_STEP_MAX];

                json_get_text(outcome, sizeof(outcome), finding, "outcome");
                json_get_text(severity, sizeof(severity), finding, "severity");
                json_get_text(text, sizeof(text), finding, "text");
                json_get_text(next, sizeof(next), finding, "next");
                text_format(line, sizeof(line), "%s: %s", outcome, text);
                terminal_paragraph(terminal, DETAIL_INDENT,
                        strcmp(severity, "warning") == 0 ? "note:  " : "why:   ", line);
                terminal_paragraph(terminal, DETAIL_INDENT, "next:  ", next);
        }
}

/* A replica that does not run prevents no import; its error is printed nevertheless. */
static void put_replication(const Terminal *terminal, const JsonValue *cluster)
{
        const JsonValue *replication = json_member(cluster, "replication");
        char state[WORD_SIZE], error[REPLICATION_TEXT_MAX];

        json_get_text(state, sizeof(state), cluster, "replication_state");
        if (strcmp(state, "not_running") != 0 && strcmp(state, "stopped") != 0)
                return;
        json_get_text(error, sizeof(error), replication, "io_error");
        if (error[0] == '\0')
                json_get_text(error, sizeof(error), replication, "sql_error");
        terminal_paragraph(terminal, DETAIL_INDENT, "replica:  ", error);
}

static void put_ledger(const Terminal *terminal, const JsonValue *cluster)
{
        const JsonValue *ledger = json_member(cluster, "ledger");
        uint64_t imported_usec = time_of(ledger, "imported_at");
        char line[LINE_SIZE], table[256], writer[256], fingerprint[REPORT_FINGERPRINT_MAX];
        char time[CLOCK_TEXT_SIZE];
        bool usable = false;

        (void)json_get_boolean(&usable, json_member(ledger, "usable"));
        json_get_text(table, sizeof(table), ledger, "table");
        json_get_text(writer, sizeof(writer), ledger, "daemon");
        json_get_text(fingerprint, sizeof(fingerprint), ledger, "fingerprint");
        if (fingerprint[0] == '\0' && !usable)
                return;
        if (fingerprint[0] == '\0')
                text_format(line, sizeof(line), "%s, empty", table);
        else if (imported_usec == 0)
                text_format(line, sizeof(line), "%s: set %.12s of %s, not completed", table,
                        fingerprint, writer);
        else
                text_format(line, sizeof(line), "%s: set %.12s, imported by %s at %s", table,
                        fingerprint, writer, clock_format_time(time, imported_usec));
        terminal_paragraph(terminal, DETAIL_INDENT, "ledger: ", line);
}

static int name_width_of(JsonValue *const *clusters, size_t n)
{
        size_t width = NAME_WIDTH_MIN;

        for (size_t i = 0; i < n; i++) {
                char name[CONFIG_NAME_MAX];
                size_t length;

                json_get_text(name, sizeof(name), clusters[i], "name");
                length = strlen(name);
                width = length > width && length <= NAME_WIDTH_MAX ? length : width;
        }
        return (int)width;
}

static void print_table(const Terminal *terminal, JsonValue *const *clusters, size_t n)
{
        int name_width = name_width_of(clusters, n);
        char heading[160];

        snprintf(heading, sizeof(heading), "  %-*s  %-*s%-*s%-*s%-*s%-*s%-*s%-*s%s", name_width,
                "CLUSTER", IMPORT_WIDTH, "IMPORT", TLS_WIDTH, "TLS", CERTIFICATE_WIDTH,
                "CERTIFICATE", ROLE_WIDTH, "ROLE", PROCEDURE_WIDTH, "PROCEDURE", LOGS_WIDTH, "LOGS",
                REPLICATION_WIDTH, "REPLICATION", "FORM");
        terminal_heading(terminal, heading);
        for (size_t i = 0; i < n; i++) {
                put_row(terminal, name_width, clusters[i]);
                if (is_disabled(clusters[i]))
                        continue;
                put_server(terminal, clusters[i]);
                put_certificate(terminal, clusters[i]);
                put_ledger(terminal, clusters[i]);
                put_source(terminal, clusters[i]);
                put_findings(terminal, clusters[i]);
                put_replication(terminal, clusters[i]);
        }
}

static int print_json(FILE *stream, JsonValue *const *clusters, size_t n)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        json_put_boolean(writer, "good", probe_table_is_good(clusters, n));
        json_key(writer, "clusters");
        json_open_array(writer);
        for (size_t i = 0; i < n; i++)
                json_copy(writer, clusters[i]);
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_print(stream, writer);
}

int probe_table_print(FILE *stream, JsonValue *const *clusters, size_t n, bool json)
{
        Terminal terminal = terminal_open(stream);

        if (json)
                return print_json(stream, clusters, n);
        print_table(&terminal, clusters, n);
        return fflush(stream) == 0 ? 0 : -EIO;
}

bool probe_table_is_good(JsonValue *const *clusters, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char word[WORD_SIZE];

                json_get_text(word, sizeof(word), clusters[i], "import");
                if (strcmp(word, "works") != 0 && strcmp(word, "disabled") != 0)
                        return false;
        }
        return true;
}
