#include "ctl/commands/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-writer.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/output/rule-verdict.h"
#include "daemon/config/config-load.h"
#include "daemon/inspect/inspector.h"

static bool is_good(const Report *report)
{
        return !report->failed && !report->files_changed;
}

static Inspection inspection_of(const Report *report)
{
        return (Inspection){
                .evaluated = !report->files_changed,
                .problems = report->problems,
                .n_problems = report->n_problems,
        };
}

static void print_report(const MaterialConfig *config, const Report *report)
{
        const Certificate *certificate = &report->certificate;
        const Inspection inspection = inspection_of(report);
        Terminal terminal = terminal_open(stdout);
        char line[REPORT_NAME_MAX + 128], date[CLOCK_TEXT_SIZE], time[TERMINAL_TIME_SIZE];

        text_set(line, sizeof(line), config->directory);
        terminal_headline(&terminal, is_good(report) ? "ok" : "critical", line);
        fputs("  ", stdout);
        terminal_colored(&terminal, is_good(report) ? "valid" : "invalid",
                report->files_changed    ? "the files changed while they were read"
                        : report->failed ? "not usable: it would not be imported"
                                         : "good: it would be imported");
        fputc('\n', stdout);
        if (report->has_certificate) {
                terminal_paragraph(&terminal, 2, "certificate  ", certificate->subject);
                terminal_paragraph(&terminal, 2, "issued by    ", certificate->issuer);
                text_format(line, sizeof(line), "%s (%s)",
                        clock_format_date(date, certificate->not_after_usec),
                        terminal_time(time, &terminal, certificate->not_after_usec));
                terminal_paragraph(&terminal, 2, "valid until  ", line);
        }
        terminal_paragraph(&terminal, 2, "fingerprint  ", report->fingerprint);
        fputc('\n', stdout);
        rule_verdict_print(&terminal, &inspection);
}

static int print_json(const MaterialConfig *config, const Report *report)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        const Inspection inspection = inspection_of(report);
        char directory[CONFIG_PATH_MAX];

        text_set(directory, sizeof(directory), config->directory);
        json_open_object(writer);
        json_put_string(writer, "directory", directory);
        json_put_boolean(writer, "good", is_good(report));
        json_put_text(writer, "fingerprint", report->fingerprint);
        json_put_known_integer(writer, "not_after", report->has_certificate,
                (int64_t)report->certificate.not_after_usec);
        json_key(writer, "rules");
        rule_verdict_write(writer, &inspection);
        json_close_object(writer);
        return json_writer_print(stdout, writer);
}

static int make_absolute(char **ret, const char *path)
{
        CLEANUP(freep) char *here = path[0] == '/' ? NULL : get_current_dir_name();

        if (path[0] != '/' && !here)
                return -errno;
        return asprintf(ret, "%s%s%s", here ? here : "", here ? "/" : "", path) < 0 ? -ENOMEM : 0;
}

/* `directory` must outlive the material. */
static int load_config(MaterialConfig *ret, const char *directory, const Request *request)
{
        const char *const files[_MATERIAL_FILE_MAX] = {
                [MATERIAL_CA] = request->ca,
                [MATERIAL_CERT] = request->cert,
                [MATERIAL_KEY] = request->key,
        };

        return config_load_default_material(ret, directory, files);
}

static int run(const Request *request)
{
        MaterialConfig config = {0};
        CLEANUP(freep) char *directory = NULL;
        CLEANUP(freep) Report *report = calloc(1, sizeof(*report));
        InspectorTask task = {.config = &config, .payload_fd = -1, .now_usec = clock_wall_usec()};
        int r = report ? make_absolute(&directory, request->names[0]) : -ENOMEM;

        if (r == 0)
                r = load_config(&config, directory, request);
        if (r == 0)
                r = inspector_run(report, &task);
        if (r == 0 && request->json)
                r = print_json(&config, report);
        if (r < 0) {
                error_message("%.200s: %s", request->names[0], strerror(-r));
                return EXIT_FAILURE;
        }
        if (!request->json)
                print_report(&config, report);
        return is_good(report) ? EXIT_SUCCESS : EXIT_FAILURE;
}

const Command command_check = {
        .name = "check",
        .synopsis = "DIR [--ca FILE] [--cert FILE] [--key FILE]",
        .summary = "validate a directory, without a daemon",
        .help = "Reads and validates the three files in DIR as the service does, with the "
                "default settings and the permissions of the caller, and prints for every rule "
                "whether it holds. Sends nothing.\n\n"
                "  --ca FILE    instead of ca.pem; relative to DIR unless absolute\n"
                "  --cert FILE  instead of client-cert.pem\n"
                "  --key FILE   instead of client-key.pem\n\n"
                "Exit: 0 it would be imported, 1 it would not.\n",
        .options = COMMAND_CERT | COMMAND_FILES,
        .minimum_names = 1,
        .maximum_names = 1,
        .run = run,
};
