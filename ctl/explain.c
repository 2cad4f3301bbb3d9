#include "ctl/explain.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/text.h"
#include "ctl/advice.h"
#include "ctl/complaint.h"
#include "ctl/document.h"
#include "ctl/explanation.h"
#include "ctl/mend.h"
#include "ctl/page.h"
#include "ctl/status.h"

#define KIND_WIDTH    6
#define OWNER_WIDTH   20
#define VERDICT_WIDTH 13
#define HOP_INDENT    (2 + KIND_WIDTH + OWNER_WIDTH + 6 + VERDICT_WIDTH)

static void print_hop(const Page *page, const Hop *hop)
{
        char owner[140], user[64], group[64], path[2 * PATH_MAX + 8], mode[8] = "-";
        bool blocked = hop->error != 0 || hop->enter_error != 0 || hop->read_error != 0;

        owner[0] = '\0';
        if (hop->error == 0) {
                if (hop->link[0] == '\0') /* a link's own mode means nothing */
                        snprintf(mode, sizeof(mode), "%04o", hop->mode & 07777);
                snprintf(owner, sizeof(owner), "%s:%s",
                        mend_user_name(user, sizeof(user), hop->uid),
                        mend_group_name(group, sizeof(group), hop->gid));
        }
        text_format(path, sizeof(path), "%s%s%s", hop->path, hop->link[0] != '\0' ? " -> " : "",
                hop->link);
        fprintf(page->stream, "  %-*s%-*s%-6s", KIND_WIDTH, hop_kind(hop), OWNER_WIDTH, owner,
                mode);
        page_colored(page, blocked ? "broken" : "passed", hop_verdict(hop));
        fprintf(page->stream, "%*s", VERDICT_WIDTH - (int)strlen(hop_verdict(hop)), "");
        page_sentence(page, 0, "", path);
}

/* Who looks, and in whose file system. */
static void print_looker(const Page *page, const Explanation *explanation)
{
        char user[64], line[256];
        uid_t uid = explanation->guise ? explanation->guise->uid : geteuid();

        mend_user_name(user, sizeof(user), uid);
        if (explanation->guise)
                text_format(line, sizeof(line), "the way to the files, as the service (%s) has it",
                        user);
        else
                text_format(line, sizeof(line),
                        "the way to the files, as %s has it; %s to see it as the service does",
                        user, geteuid() == 0 ? "binlog-ssld must run here" : "run this as root");
        page_heading(page, line);
        if (!explanation->configured) {
                text_format(line, sizeof(line), "names are the default ones: %.200s",
                        explanation->doubt);
                page_sentence(page, 2, "", line);
        }
}

static void print_passage(const Page *page, const Explanation *explanation)
{
        const Passage *passage = explanation->passage;

        print_looker(page, explanation);
        if (passage->error != 0)
                page_sentence(page, 2, "it could not be walked: ", strerror(passage->error));
        for (size_t i = 0; i < passage->n_hops; i++)
                print_hop(page, &passage->hops[i]);
}

/* Commands are printed unbroken, so that they can be taken over with the mouse. */
static void print_mend(const Page *page, const Explanation *explanation, const Hop *blocked)
{
        gid_t gid = explanation->guise ? explanation->guise->gid : getegid();
        char why[2 * PATH_MAX], first[MEND_MAX], second[MEND_MAX];

        mend_why(why, sizeof(why), blocked, explanation->passage->in_guise);
        mend_commands(first, second, sizeof(first), blocked, gid);
        page_sentence(page, 2, "", why);
        if (first[0] != '\0' && explanation->guise)
                fprintf(page->stream, "      %s\n", first);
        if (second[0] != '\0' && explanation->guise)
                fprintf(page->stream, "  or  %s\n", second);
        if (first[0] != '\0' && explanation->guise && S_ISREG(blocked->mode))
                page_sentence(
                        page, 2, "", "The renewal tool must give each new file the same rights.");
}

static void print_next(const Page *page, const Explanation *explanation)
{
        const Hop *blocked = passage_blocked(explanation->passage);
        char text[ADVICE_MAX];

        page_heading(page, "next step");
        advice_material_next(text, sizeof(text), explanation->material);
        if (blocked)
                print_mend(page, explanation, blocked);
        else if (text[0] != '\0')
                page_sentence(page, 2, "", text);
        else if (material_state_is_good(explanation->material->state))
                page_sentence(page, 2, "", "none: this set is good");
        else
                page_sentence(page, 2, "",
                        "none that is known here; journalctl -u binlog-ssld may tell more");
}

static void print_explanation(const Page *page, const Explanation *explanation)
{
        const MaterialView *material = explanation->material;
        char line[ADVICE_MAX], since[PAGE_TIME_SIZE], check[PAGE_TIME_SIZE], change[PAGE_TIME_SIZE];

        fprintf(page->stream, "material %s is ", material->name);
        page_word(page, material->state_text, 0);
        fprintf(page->stream, ", for %s\n", page_age(since, page, material->since_usec));
        page_sentence(page, 2, "why        ", material->reason);
        if (material->has_certificate)
                page_sentence(page, 2, "subject    ", material->certificate.subject);
        text_format(line, sizeof(line), "%s; looked at %s, %s%s%s", material->watch,
                page_time(check, page, material->last_check_usec),
                material->last_change_usec > 0 ? "changed " : "no change since the service began",
                material->last_change_usec > 0 ? page_time(change, page, material->last_change_usec)
                                               : "",
                material->missed_events > 0 ? "; events were missed, so the poll is what counts"
                                            : "");
        page_sentence(page, 2, "watch      ", line);
        fputc('\n', page->stream);
        print_passage(page, explanation);
        fputc('\n', page->stream);
        page_heading(page, "rules");
        ruling_print(page, &explanation->inspection);
        fputc('\n', page->stream);
        print_next(page, explanation);
}

static void write_text(JsonWriter *writer, const char *key, const char *value)
{
        char clean[2 * PATH_MAX];

        text_set(clean, sizeof(clean), value);
        json_key(writer, key);
        json_string(writer, clean[0] != '\0' ? clean : NULL);
}

static void write_hop(JsonWriter *writer, const Hop *hop)
{
        json_open_object(writer);
        write_text(writer, "path", hop->path);
        write_text(writer, "kind", hop_kind(hop));
        write_text(writer, "link", hop->link);
        write_text(writer, "verdict", hop_verdict(hop));
        json_key(writer, "mode");
        json_integer(writer, hop->mode & 07777);
        json_key(writer, "uid");
        json_integer(writer, hop->uid);
        json_key(writer, "gid");
        json_integer(writer, hop->gid);
        json_close_object(writer);
}

static void write_explanation(JsonWriter *writer, const Explanation *explanation)
{
        const Passage *passage = explanation->passage;
        const Hop *blocked = passage_blocked(passage);
        char text[MEND_MAX], second[MEND_MAX];

        json_open_object(writer);
        json_key(writer, "material");
        json_raw(writer, explanation->material->json, strlen(explanation->material->json));
        json_key(writer, "as_service");
        json_boolean(writer, passage->in_guise);
        json_key(writer, "configured");
        json_boolean(writer, explanation->configured);
        json_key(writer, "hops");
        json_open_array(writer);
        for (size_t i = 0; i < passage->n_hops; i++)
                write_hop(writer, &passage->hops[i]);
        json_close_array(writer);
        json_key(writer, "rules");
        ruling_write(writer, &explanation->inspection);
        advice_material_next(text, sizeof(text), explanation->material);
        write_text(writer, "next", text);
        text[0] = '\0';
        if (blocked && explanation->guise)
                mend_commands(text, second, sizeof(text), blocked, explanation->guise->gid);
        write_text(writer, "command", text);
        json_close_object(writer);
}

/* Prints, or writes, those that were asked for. 1: one of them is not usable; else negative. */
static int explain(const Request *request, const View *view, const Guise *guise, JsonWriter *writer)
{
        Page page = page_on(stdout);
        bool good = true, first = true;

        for (size_t i = 0; i < view->n_materials; i++) {
                CLEANUP(explanation_done) Explanation explanation = {0};
                const MaterialView *material = &view->materials[i];
                int r;

                if (request->n_names > 0 && strcmp(material->name, request->names[0]) != 0)
                        continue;
                r = explanation_make(&explanation, material, guise);
                if (r < 0)
                        return r;
                if (writer)
                        write_explanation(writer, &explanation);
                else {
                        fputs(first ? "" : "\n\n", stdout);
                        print_explanation(&page, &explanation);
                }
                first = false;
                good = good && material_state_is_good(material->state);
        }
        return good ? 0 : 1;
}

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(view_done) View view = VIEW_NULL;
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        Guise guise;
        bool disguised;
        int r = status_fetch(&reply, &view, request);

        if (r != EXIT_SUCCESS) {
                if (r == EXIT_UNREACHABLE)
                        complain("binlog-sslctl check DIR judges a directory without the service");
                return r;
        }
        if (request->n_names > 0 && !view_material(&view, request->names[0])) {
                complain("there is no material %s", request->names[0]);
                return EX_USAGE;
        }
        disguised = geteuid() == 0 && guise_of(&guise, (pid_t)view.pid) == 0;
        r = request->json ? json_writer_new(&writer) : 0;
        if (writer)
                json_open_array(writer);
        if (r == 0)
                r = explain(request, &view, disguised ? &guise : NULL, writer);
        if (writer && r >= 0) {
                int written;

                json_close_array(writer);
                written = document_finish(stdout, writer);
                r = written < 0 ? written : r;
        }
        if (r < 0)
                complain("%s", strerror(-r));
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const Command command_explain = {
        .name = "explain",
        .synopsis = "[MATERIAL]",
        .summary = "why a material can, or cannot, be used",
        .help = "Shows what the service sees of a material: every hop on the way to its files"
                " with owner and mode, whether the service may pass and watch it, the verdict"
                " of every rule, and the next step with the command that mends a closed "
                "directory or file. As root it looks with the service's own eyes: its user, "
                "groups and sandbox; otherwise it answers for the calling user.\n\n"
                "Exit: 0 the set is good, 1 it is not, 3 the daemon cannot be reached, 64 "
                "there is no such material.\n",
        .maximum_names = 1,
        .run = run,
};
