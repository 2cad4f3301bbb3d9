#include "daemon/varlink/cluster-request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/model/interface.h"

void cluster_request_done(ClusterRequest *request)
{
        free(request->chosen);
}

/* Returns the name of a parameter with a wrong type, or NULL. */
static const char *parse(ClusterRequest *ret, const VarlinkCall *call)
{
        const JsonValue *names = json_member(call->parameters, "clusters");
        const JsonValue *force = json_member(call->parameters, "force");

        if (force && !json_is_null(force) && !json_get_boolean(&ret->force, force))
                return "force";
        if (!names || json_is_null(names))
                return NULL;
        if (!json_is_array(names))
                return "clusters";
        for (size_t i = 0; i < json_size(names); i++)
                if (!json_get_string(json_element(names, i)))
                        return "clusters";
        ret->names = names;
        return NULL;
}

typedef struct Named {
        const char *name;
        size_t cluster;
} Named;

static int compare_names(const void *a, const void *b)
{
        return strcmp(((const Named *)a)->name, ((const Named *)b)->name);
}

/* `ret_unknown` is a name that no cluster has, or NULL. */
static int choose(ClusterRequest *request, const ManagerStatus *status, const char **ret_unknown)
{
        CLEANUP(freep) Named *clusters = calloc(status->n_clusters + 1, sizeof(*clusters));

        *ret_unknown = NULL;
        request->chosen = calloc(status->n_clusters + 1, sizeof(bool));
        if (!clusters || !request->chosen)
                return -ENOMEM;
        for (size_t i = 0; i < status->n_clusters; i++) {
                clusters[i] = (Named){status->clusters[i]->config->name, i};
                request->chosen[i] = !request->names;
        }
        if (request->names)
                qsort(clusters, status->n_clusters, sizeof(*clusters), compare_names);
        for (size_t i = 0; i < json_size(request->names); i++) {
                const Named key = {.name = json_get_string(json_element(request->names, i))};
                const Named *found =
                        bsearch(&key, clusters, status->n_clusters, sizeof(key), compare_names);

                if (found)
                        request->chosen[found->cluster] = true;
                else if (!*ret_unknown)
                        *ret_unknown = key.name;
        }
        return 0;
}

int cluster_request_make(ClusterRequest *ret, const VarlinkCall *call, const ManagerStatus *status,
        char **ret_parameters, const char **ret_error)
{
        const char *wrong;
        int r;

        *ret = (ClusterRequest){0};
        wrong = parse(ret, call);
        if (wrong)
                return varlink_refuse(ret_parameters, ret_error, VARLINK_ERROR_INVALID_PARAMETER,
                        "parameter", wrong);
        r = choose(ret, status, &wrong);
        return r < 0 || !wrong ? r
                               : varlink_refuse(ret_parameters, ret_error,
                                         INTERFACE_NAME ".NoSuchCluster", "name", wrong);
}
