#include "ctl/commands/command.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/json-writer.h"
#include "common/terminal.h"
#include "common/text.h"
#include "ctl/client/error-message.h"
#include "ctl/explain/explanation.h"
#include "ctl/explain/path-fix.h"

#define KIND_WIDTH    6
#define OWNER_WIDTH   20
#define VERDICT_WIDTH 13
#define HOP_INDENT    (2 + KIND_WIDTH + OWNER_WIDTH + 6 + VERDICT_WIDTH)

static void print_hop(const Terminal *terminal, const PathHop *hop)
{
        char owner[140], user[64], group[64], path[2 * PATH_MAX + 8], mode[8] = "-";

        owner[0] = '\0';
        if (hop->error == 0) {
                if (hop->link[0] == '\0') /* the mode of a link has no effect */
                        snprintf(mode, sizeof(mode), "%04o", hop->mode & 07777);
                snprintf(owner, sizeof(owner), "%s:%s",
                        path_fix_user_name(user, sizeof(user), hop->uid),
                        path_fix_group_name(group, sizeof(group), hop->gid));
        }
        text_format(path, sizeof(path), "%s%s%s", hop->path, hop->link[0] != '\0' ? " -> " : "",
                hop->link);
        fprintf(terminal->stream, "  %-*s%-*s%-6s", KIND_WIDTH, path_hop_kind(hop), OWNER_WIDTH,
                owner, mode);
        terminal_colored(
                terminal, path_hop_is_denied(hop) ? "broken" : "passed", path_hop_verdict(hop));
        fprintf(terminal->stream, "%*s", VERDICT_WIDTH - (int)strlen(path_hop_verdict(hop)), "");
        terminal_paragraph(terminal, 0, "", path);
}

static void print_access_heading(const Terminal *terminal, const Explanation *explanation)
{
        char user[64], line[256];
        uid_t uid = explanation->identity ? explanation->identity->uid : geteuid();

        path_fix_user_name(user, sizeof(user), uid);
        if (explanation->identity)
                text_format(line, sizeof(line), "the path to the files, as the service (%s) has it",
                        user);
        else
                text_format(line, sizeof(line),
                        "the path to the files, as %s has it; %s to see it as the service does",
                        user, geteuid() == 0 ? "binlog-ssld must run here" : "run this as root");
        terminal_heading(terminal, line);
        if (!explanation->configured) {
                text_format(line, sizeof(line), "names are the default ones: %.200s",
                        explanation->config_error);
                terminal_paragraph(terminal, 2, "", line);
        }
}

static void print_access(const Terminal *terminal, const Explanation *explanation)
{
        const PathAccess *access = explanation->access;

        print_access_heading(terminal, explanation);
        if (access->error != 0)
                terminal_paragraph(terminal, 2, "could not be checked: ", strerror(access->error));
        for (size_t i = 0; i < access->n_hops; i++)
                print_hop(terminal, &access->hops[i]);
}

/* Does not wrap commands, so that they can be copied. */
static void print_fix(
        const Terminal *terminal, const Explanation *explanation, const PathHop *blocked)
{
        char why[2 * PATH_MAX], first[PATH_FIX_MAX], second[PATH_FIX_MAX];

        path_fix_reason(why, sizeof(why), blocked, explanation->access->as_service);
        terminal_paragraph(terminal, 2, "", why);
        if (!explanation->identity)
                return;
        path_fix_commands(first, second, sizeof(first), blocked, explanation->identity->gid);
        if (first[0] != '\0')
                fprintf(terminal->stream, "      %s\n", first);
        if (second[0] != '\0')
                fprintf(terminal->stream, "  or  %s\n", second);
        if (first[0] != '\0' && S_ISREG(blocked->mode))
                terminal_paragraph(terminal, 2, "",
                        "The renewal tool must give each new file the same rights.");
}

static void print_next(const Terminal *terminal, const Explanation *explanation)
{
        const PathHop *blocked = path_access_denied(explanation->access);

        terminal_heading(terminal, "next step");
        if (blocked)
                print_fix(terminal, explanation, blocked);
        else if (explanation->material->next_step[0] != '\0')
                terminal_paragraph(terminal, 2, "", explanation->material->next_step);
        else if (material_state_is_good(explanation->material->state))
                terminal_paragraph(terminal, 2, "", "none: this set is good");
        else
                terminal_paragraph(
                        terminal, 2, "", "none is known; journalctl -u binlog-ssld may have more");
}

static void print_explanation(const Terminal *terminal, const Explanation *explanation)
{
        const MaterialInfo *material = explanation->material;
        char line[1024], since[TERMINAL_TIME_SIZE], check[TERMINAL_TIME_SIZE],
                change[TERMINAL_TIME_SIZE];

        fprintf(terminal->stream, "material %s is ", material->name);
        terminal_word(terminal, material->state_text, 0);
        fprintf(terminal->stream, ", for %s\n",
                terminal_age(since, terminal, material->since_usec));
        terminal_paragraph(terminal, 2, "why        ", material->reason);
        if (material->has_certificate)
                terminal_paragraph(terminal, 2, "subject    ", material->certificate.subject);
        text_format(line, sizeof(line), "%s; checked %s, %s%s%s", material->watch,
                terminal_time(check, terminal, material->last_check_usec),
                material->last_change_usec > 0 ? "changed " : "no change since the service started",
                material->last_change_usec > 0
                        ? terminal_time(change, terminal, material->last_change_usec)
                        : "",
                material->missed_events > 0 ? "; events were missed, so only the poll is reliable"
                                            : "");
        terminal_paragraph(terminal, 2, "watch      ", line);
        fputc('\n', terminal->stream);
        print_access(terminal, explanation);
        fputc('\n', terminal->stream);
        terminal_heading(terminal, "rules");
        rule_verdict_print(terminal, &explanation->inspection);
        fputc('\n', terminal->stream);
        print_next(terminal, explanation);
}

static void write_text(JsonWriter *writer, const char *key, const char *value)
{
        char clean[2 * PATH_MAX];

        text_set(clean, sizeof(clean), value);
        json_put_text(writer, key, clean);
}

static void write_hop(JsonWriter *writer, const PathHop *hop)
{
        json_open_object(writer);
        write_text(writer, "path", hop->path);
        write_text(writer, "kind", path_hop_kind(hop));
        write_text(writer, "link", hop->link);
        write_text(writer, "verdict", path_hop_verdict(hop));
        json_put_integer(writer, "mode", hop->mode & 07777);
        json_put_integer(writer, "uid", hop->uid);
        json_put_integer(writer, "gid", hop->gid);
        json_close_object(writer);
}

static void write_explanation(JsonWriter *writer, const Explanation *explanation)
{
        const PathAccess *access = explanation->access;
        const PathHop *blocked = path_access_denied(access);
        char text[PATH_FIX_MAX], second[PATH_FIX_MAX];

        json_open_object(writer);
        json_key(writer, "material");
        json_raw(writer, explanation->material->json, strlen(explanation->material->json));
        json_put_boolean(writer, "as_service", access->as_service);
        json_put_boolean(writer, "configured", explanation->configured);
        json_key(writer, "hops");
        json_open_array(writer);
        for (size_t i = 0; i < access->n_hops; i++)
                write_hop(writer, &access->hops[i]);
        json_close_array(writer);
        json_key(writer, "rules");
        rule_verdict_write(writer, &explanation->inspection);
        write_text(writer, "next", explanation->material->next_step);
        text[0] = '\0';
        if (blocked && explanation->identity)
                path_fix_commands(text, second, sizeof(text), blocked, explanation->identity->gid);
        write_text(writer, "command", text);
        json_close_object(writer);
}

/* Prints or writes the requested materials. Returns 0 if all are good, and 1 if one is not. */
static int explain(const Request *request, const StatusInfo *info, const ServiceIdentity *identity)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        Terminal terminal = terminal_open(stdout);
        bool good = true, first = true;

        json_open_array(writer);
        for (size_t i = 0; i < info->n_materials; i++) {
                CLEANUP(explanation_done) Explanation explanation = {0};
                const MaterialInfo *material = &info->materials[i];
                int r;

                if (request->n_names > 0 && strcmp(material->name, request->names[0]) != 0)
                        continue;
                r = explanation_make(&explanation, material, identity);
                if (r < 0)
                        return r;
                if (request->json)
                        write_explanation(writer, &explanation);
                else {
                        fputs(first ? "" : "\n\n", stdout);
                        print_explanation(&terminal, &explanation);
                }
                first = false;
                good = good && material_state_is_good(material->state);
        }
        json_close_array(writer);
        if (request->json) {
                int r = json_writer_print(stdout, writer);

                if (r < 0)
                        return r;
        }
        return good ? 0 : 1;
}

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(status_info_done) StatusInfo info = STATUS_INFO_NULL;
        ServiceIdentity identity;
        bool as_service;
        int r = status_info_fetch(&reply, &info, request->socket);

        if (r != EXIT_SUCCESS) {
                if (r == EXIT_UNREACHABLE)
                        error_message(
                                "binlog-sslctl check DIR validates a directory without a service");
                return r;
        }
        if (request->n_names > 0 && !status_info_material(&info, request->names[0])) {
                error_message("there is no material %s", request->names[0]);
                return EX_USAGE;
        }
        as_service = geteuid() == 0 && service_identity_of(&identity, (pid_t)info.pid) == 0;
        r = explain(request, &info, as_service ? &identity : NULL);
        if (r < 0)
                error_message("%s", strerror(-r));
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const Command command_explain = {
        .name = "explain",
        .synopsis = "[MATERIAL]",
        .summary = "why a material can or cannot be used",
        .help = "Prints every directory, symbolic link and file on the path to the files of a "
                "material, with owner and mode and whether the service can pass, read and watch "
                "it; the verdict of every rule; and the next step, with the command that opens "
                "a closed directory or file. Run by root, the command tests the access of the "
                "service, with its user, groups and sandbox; otherwise that of the calling "
                "user.\n\n"
                "Exit: 0 the set is good, 1 it is not, 3 the daemon cannot be reached, 64 "
                "there is no such material.\n",
        .maximum_names = 1,
        .run = run,
};
