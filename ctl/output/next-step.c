#include "ctl/output/next-step.h"

#include <string.h>

#include "common/text.h"

void next_step_material(char *buffer, size_t size, const MaterialInfo *material)
{
        const Problem *first = NULL;

        buffer[0] = '\0';
        for (size_t i = 0; i < material->n_problems; i++)
                if (!first || material->problems[i].severity > first->severity)
                        first = &material->problems[i];
        if (material->not_responding_since_usec > 0)
                text_set(buffer, size,
                        "look at the mount and its server: the service goes on by itself when they "
                        "answer");
        else if (material->state == MATERIAL_STATE_CHANGING)
                text_set(buffer, size,
                        "nothing yet: the set is validated again when the rest is written");
        else if (first)
                text_set(buffer, size, rule_next_step(first->rule));
}

void next_step_cluster(char *buffer, size_t size, const ClusterInfo *cluster)
{
        const char *next = cluster->next_step;

        buffer[0] = '\0';
        switch (cluster->state) {
        case CLUSTER_HELD:
        case CLUSTER_RETRYING:
                text_set(buffer, size,
                        next[0] != '\0' ? next : outcome_retry_note(cluster->outcome));
                break;
        case CLUSTER_IMPORTING:
        case CLUSTER_CURRENT:
                text_set(buffer, size, next);
                break;
        case CLUSTER_WAITING:
                if (next[0] != '\0')
                        text_set(buffer, size, next);
                else
                        text_format(buffer, size,
                                "fix material %s; the import then starts by itself",
                                cluster->material);
                break;
        case CLUSTER_DISABLED:
                text_set(buffer, size,
                        next[0] != '\0'
                                ? next
                                : "to import into this cluster, set enabled = yes and reload");
                break;
        case _CLUSTER_STATE_MAX:
                break;
        }
}

void next_step_cluster_command(char *buffer, size_t size, const ClusterInfo *cluster)
{
        buffer[0] = '\0';
        if (cluster->state == CLUSTER_HELD || cluster->state == CLUSTER_RETRYING)
                text_format(buffer, size, "binlog-sslctl import --wait %s", cluster->name);
}

void next_step_material_command(char *buffer, size_t size, const MaterialInfo *material)
{
        buffer[0] = '\0';
        if (material->not_responding_since_usec > 0)
                text_format(buffer, size, "findmnt -T %s", material->directory);
        else if (!material_state_is_good(material->state))
                text_format(buffer, size, "binlog-sslctl explain %s", material->name);
}
