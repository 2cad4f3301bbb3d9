/*
 * What binlog-sslctl prints of an answer: of any, only lines of displayable text, not more for each
 * material and cluster than a limit, and the same with and without colours. The input is an answer
 * of the service, to GetStatus or CheckClusters, or an error.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "common/varlink.h"
#include "ctl/client/error-message.h"
#include "ctl/client/status-info.h"
#include "ctl/output/rule-verdict.h"
#include "ctl/output/status-table.h"
#include "daemon/probe/probe-table.h"

#define PRINTED_MAX ((size_t)64 * 1024) /* of one material, cluster or error */

/* 2027-02-01 14:05:09 UTC, near the times of the seeds. */
#define NOW (UINT64_C(1801490709) * USEC_PER_SEC)

/* What was printed to a stream, as a text. */
typedef struct Printed {
        FILE *stream;
        char *text;
        size_t size;
} Printed;

static void printed_done(Printed *printed)
{
        free(printed->text);
}

static void printed_open(Printed *printed)
{
        *printed = (Printed){0};
        printed->stream = open_memstream(&printed->text, &printed->size);
        MUST(printed->stream);
}

static void printed_close(Printed *printed)
{
        MUST(fclose(printed->stream) == 0);
        MUST(strlen(printed->text) == printed->size);
}

/* Removes the sequences that common/terminal.c may write. */
static void remove_colors(Printed *printed)
{
        static const char *const colors[] = {
                "\033[0m", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[1;31m"};

        for (size_t i = 0; i < ARRAY_SIZE(colors); i++) {
                size_t size = strlen(colors[i]);

                for (char *found = printed->text; (found = strstr(found, colors[i])) != NULL;)
                        memmove(found, found + size, strlen(found + size) + 1);
        }
        printed->size = strlen(printed->text);
}

static void check_lines(const Printed *printed)
{
        for (const char *line = printed->text; *line != '\0';) {
                size_t size = strcspn(line, "\n");

                MUST(line[size] == '\n' && text_is_displayable(line, size));
                line += size + 1;
        }
}

static void print_rules(const Terminal *terminal, const MaterialInfo *material)
{
        Inspection inspection = {.evaluated = material->fingerprint[0] != '\0',
                .problems = material->problems,
                .n_problems = material->n_problems};

        rule_verdict_print(terminal, &inspection);
}

static void print_status(
        Printed *printed, const StatusInfo *info, unsigned columns, bool color, bool named)
{
        CLEANUP(freep) char **names = calloc(info->n_clusters + 1, sizeof(*names));
        int n_names = named ? (int)info->n_clusters : 0;
        Terminal terminal = {.columns = columns, .color = color, .now_usec = NOW};

        MUST(names);
        printed_open(printed);
        terminal.stream = printed->stream;
        for (size_t i = 0; i < info->n_clusters; i++)
                names[i] = info->clusters[i].name;
        terminal_headline(&terminal, health_to_string(info->health), info->summary);
        MUST(status_table_print(&terminal, info, &(StatusSelection){names, n_names, false}) == 0);
        MUST(status_table_print(&terminal, info, &(StatusSelection){names, n_names, true}) == 0);
        for (size_t i = 0; i < info->n_materials; i++)
                print_rules(&terminal, &info->materials[i]);
        printed_close(printed);
}

static void check_status(const StatusInfo *info, unsigned columns, bool named)
{
        CLEANUP(printed_done) Printed plain, colored;

        print_status(&plain, info, columns, false, named);
        print_status(&colored, info, columns, true, named);
        check_lines(&plain);
        MUST(plain.size <= PRINTED_MAX * (info->n_materials + info->n_clusters + 1));
        remove_colors(&colored);
        MUST(strcmp(plain.text, colored.text) == 0);
}

/* The cluster of an answer to CheckClusters. */
static void check_probe(const VarlinkReply *reply)
{
        JsonValue *cluster = (JsonValue *)json_member(reply->parameters, "cluster");
        CLEANUP(printed_done) Printed printed = {0};

        if (!json_is_object(cluster))
                return;
        printed_open(&printed);
        MUST(probe_table_print(printed.stream, &cluster, 1, false) == 0);
        printed_close(&printed);
        check_lines(&printed);
        MUST(printed.size <= 2 * PRINTED_MAX);
        (void)probe_table_is_good(&cluster, 1);
}

/* Each is stored once, and can be removed. */
static void check_removal(StatusInfo *info)
{
        while (info->n_materials > 0) {
                char name[CONFIG_NAME_MAX];

                memcpy(name, info->materials[0].name, sizeof(name));
                status_info_remove_material(info, name);
                MUST(!status_info_material(info, name));
        }
        while (info->n_clusters > 0) {
                char name[CONFIG_NAME_MAX];

                memcpy(name, info->clusters[0].name, sizeof(name));
                MUST((unsigned)status_info_health(info, &info->clusters[0]) <= _HEALTH_MAX);
                status_info_remove_cluster(info, name);
                MUST(!status_info_cluster(info, name));
        }
}

static void check_error(const VarlinkReply *reply)
{
        CLEANUP(printed_done) Printed printed;
        FILE *const saved = stderr;
        int status;

        printed_open(&printed);
        stderr = printed.stream; /* a variable in glibc (stdin(3)) */
        status = error_message_reply(reply, "GetStatus", false);
        stderr = saved;
        printed_close(&printed);
        MUST(status > 0 && status < 128);
        check_lines(&printed);
        MUST(printed.size > 0 && printed.size <= PRINTED_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(status_info_done) StatusInfo info = STATUS_INFO_NULL;

        if (varlink_reply_parse(&reply, (const char *)data, size) < 0)
                return 0;
        if (reply.error) {
                check_error(&reply);
                return 0;
        }
        check_probe(&reply);
        if (status_info_load(&info, reply.parameters) < 0)
                return 0;
        check_status(&info, TERMINAL_COLUMNS_MAX, false);
        check_status(&info, 40, true);
        check_removal(&info);
        return 0;
}
