#include "ctl/explain/explanation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/config/config-load.h"
#include "daemon/config/paths.h"

/* Uses the configuration only if it has the material and directory that the service reports. */
static int load_config(Explanation *explanation)
{
        static const char *const defaults[_MATERIAL_FILE_MAX];
        CLEANUP(config_unrefp) Config *config = NULL;
        CLEANUP(freep) ConfigProblem *problem = calloc(1, sizeof(*problem));
        const MaterialInfo *material = explanation->material;
        char path[CONFIG_PATH_MAX + 32] = "";
        int r = problem ? paths_config_file(path, sizeof(path)) : -ENOMEM;

        if (r == 0)
                r = config_load(&config, path, problem);
        for (size_t i = 0; r == 0 && i < config->n_materials; i++)
                if (strcmp(config->materials[i].name, material->name) == 0 &&
                        strcmp(config->materials[i].directory, material->directory) == 0) {
                        explanation->config = config->materials[i];
                        explanation->service_config = TAKE(config);
                        explanation->configured = true;
                        return 0;
                }
        if (r == -EINVAL)
                text_format(explanation->config_error, sizeof(explanation->config_error),
                        "%s: %.300s", problem->file, problem->text);
        else
                text_format(explanation->config_error, sizeof(explanation->config_error), "%s: %s",
                        path, r < 0 ? strerror(-r) : "is not what the service runs with");
        return config_load_default_material(&explanation->config, material->directory, defaults);
}

/* A walk of a file system that does not respond would never end. */
static int check_no_access(Explanation *explanation)
{
        int r = path_access_new(&explanation->access);

        if (r == 0)
                explanation->access->error = ETIMEDOUT;
        return r;
}

static int check_access(Explanation *explanation)
{
        const char *paths[_MATERIAL_FILE_MAX];

        if (explanation->material->not_responding_since_usec > 0)
                return check_no_access(explanation);
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                paths[i] = explanation->config.path[i];
        return path_access_check(&explanation->access, explanation->identity, paths);
}

int explanation_make(
        Explanation *ret, const MaterialInfo *material, const ServiceIdentity *identity)
{
        int r;

        ret->material = material;
        ret->identity = identity;
        r = load_config(ret);
        if (r == 0)
                r = check_access(ret);
        ret->inspection = (Inspection){
                .evaluated = material->fingerprint[0] != '\0' || material->n_problems > 0,
                .problems = material->problems,
                .n_problems = material->n_problems,
                .config = ret->configured ? &ret->config : NULL,
        };
        return r;
}

void explanation_done(Explanation *explanation)
{
        path_access_free(explanation->access);
        config_unref(explanation->service_config);
}
