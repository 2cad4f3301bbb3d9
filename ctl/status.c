#include "ctl/status.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/client.h"
#include "ctl/complaint.h"
#include "ctl/document.h"
#include "ctl/table.h"
#include "daemon/interface.h"

int status_fetch(VarlinkReply *ret, View *ret_view, const Request *request)
{
        int r = client_call(ret, request->socket, INTERFACE_NAME ".GetStatus", NULL);

        if (r == 0 && ret->error) {
                (void)complain_reply(ret, "GetStatus", false);
                return EXIT_UNREACHABLE;
        }
        if (r == 0)
                r = view_load(ret_view, ret->parameters);
        return r < 0 ? complain_unreachable(request->socket, r) : EXIT_SUCCESS;
}

static Health health_of(const View *view, const Request *request)
{
        Health worst = HEALTH_OK;

        if (request->n_names == 0)
                return view->health;
        for (size_t i = 0; i < view->n_clusters; i++)
                if (table_shows(view->clusters[i].name, request->names, request->n_names)) {
                        Health health = view_health(view, &view->clusters[i]);

                        worst = health > worst ? health : worst;
                }
        return worst;
}

/* The daemon's answer, of the clusters those that were asked for. */
static int print_json(const JsonValue *status, const View *view, const Request *request)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = NULL;
        int r = json_writer_new(&writer);

        if (r < 0)
                return r;
        json_open_object(writer);
        for (size_t i = 0; i < json_size(status); i++) {
                const char *key = json_key_at(status, i);

                json_key(writer, key);
                if (strcmp(key, "clusters") != 0) {
                        document_write(writer, json_member(status, key));
                        continue;
                }
                json_open_array(writer);
                for (size_t k = 0; k < view->n_clusters; k++)
                        if (table_shows(view->clusters[k].name, request->names, request->n_names))
                                json_raw(writer, view->clusters[k].json,
                                        strlen(view->clusters[k].json));
                json_close_array(writer);
        }
        json_close_object(writer);
        return document_finish(stdout, writer);
}

static void print_headline(
        const Page *page, const View *view, const Request *request, Health health)
{
        size_t shown = 0, current = 0;
        char line[SUMMARY_TEXT_MAX + 32];

        for (size_t i = 0; i < view->n_clusters; i++)
                if (table_shows(view->clusters[i].name, request->names, request->n_names)) {
                        shown++;
                        current += view->clusters[i].state == CLUSTER_CURRENT;
                }
        if (request->n_names > 0)
                snprintf(line, sizeof(line), "%zu/%zu of these clusters current", current, shown);
        else
                snprintf(line, sizeof(line), "%s", view->summary);
        page_headline(page, health_to_string(health), line);
        fputc('\n', page->stream);
}

static int run(const Request *request)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        CLEANUP(view_done) View view = VIEW_NULL;
        Page page = page_on(stdout);
        Health health;
        int r = status_fetch(&reply, &view, request);

        if (r != EXIT_SUCCESS)
                return r;
        for (int i = 0; i < request->n_names; i++)
                if (!view_cluster(&view, request->names[i])) {
                        complain("there is no cluster %s", request->names[i]);
                        return EX_USAGE;
                }
        health = health_of(&view, request);
        if (request->json)
                r = print_json(reply.parameters, &view, request);
        else {
                print_headline(&page, &view, request, health);
                table_print(&page, &view, request->names, request->n_names);
        }
        if (r < 0 || health == _HEALTH_MAX)
                return complain_unreachable(request->socket, r < 0 ? r : -EBADMSG);
        return (int)health;
}

const Command command_status = {
        .name = "status",
        .synopsis = "[CLUSTER...]",
        .summary = "what is on disk, what is imported, and why not",
        .help = "Shows each material with the set that is on disk, and each cluster, or those "
                "named, with the set that it acknowledged. Below what is not as it should be "
                "stand the reason (why), the next step for you (next), a command that helps "
                "(run), and since when and until the next attempt of the service (late). A set "
                "is named by the first digits of its fingerprint: equal digits, equal sets.\n\n"
                "Exit: 0 ok, 1 warning, 2 critical, 3 the daemon cannot be reached: what "
                "monitoring plugins use. With names it is the exit for these clusters.\n",
        .maximum_names = -1,
        .run = run,
};
