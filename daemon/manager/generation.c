#include "daemon/manager/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/schema.h"

int generation_new(Generation *ret, Config *config, size_t n_gone)
{
        *ret = (Generation){
                .config = config,
                .materials = calloc(config->n_materials, sizeof(Material *)),
                .clusters = calloc(config->n_clusters + n_gone, sizeof(Cluster *)),
                .n_clusters = config->n_clusters,
                .material_statuses = calloc(config->n_materials, sizeof(MaterialStatus *)),
                .cluster_statuses = calloc(config->n_clusters, sizeof(ClusterStatus *)),
        };
        return ret->materials && ret->clusters && ret->material_statuses && ret->cluster_statuses
                ? 0
                : -ENOMEM;
}

void generation_done(Generation *generation)
{
        for (size_t i = 0; generation->clusters && i < generation->n_clusters; i++)
                cluster_free(generation->clusters[i]);
        for (size_t i = 0; generation->materials && i < generation->config->n_materials; i++)
                material_free(generation->materials[i]);
        free(generation->materials);
        free(generation->clusters);
        free(generation->material_statuses);
        free(generation->cluster_statuses);
        config_unref(generation->config);
        *generation = (Generation){0};
}

size_t generation_n_clusters(const Generation *generation)
{
        return generation->config ? generation->config->n_clusters : 0;
}

Material **generation_find_material(const Generation *generation, const MaterialConfig *config)
{
        for (size_t i = 0; generation->config && i < generation->config->n_materials; i++) {
                const MaterialConfig *other = &generation->config->materials[i];

                if (strcmp(other->name, config->name) == 0 &&
                        config_key_table_equal(&schema_material, other, config))
                        return &generation->materials[i];
        }
        return NULL;
}

static int compare_slots(const void *a, const void *b)
{
        return strcmp(((const GenerationSlot *)a)->name, ((const GenerationSlot *)b)->name);
}

GenerationSlot *generation_list(const Generation *generation)
{
        GenerationSlot *slots = calloc(generation->n_clusters + 1, sizeof(*slots));

        for (size_t i = 0; slots && i < generation->n_clusters; i++)
                slots[i] = (GenerationSlot){cluster_status(generation->clusters[i])->config->name,
                        &generation->clusters[i]};
        if (slots)
                qsort(slots, generation->n_clusters, sizeof(*slots), compare_slots);
        return slots;
}

Cluster **generation_find(
        const Generation *generation, const GenerationSlot *slots, size_t i, const char *name)
{
        const GenerationSlot key = {.name = name};
        Cluster **same = i < generation->n_clusters ? &generation->clusters[i] : NULL;
        const GenerationSlot *found;

        if (same && *same && strcmp(cluster_status(*same)->config->name, name) == 0)
                return same;
        found = bsearch(&key, slots, generation->n_clusters, sizeof(key), compare_slots);
        return found ? found->cluster : NULL;
}

void generation_adopt(Generation *generation, Generation *old, const GenerationSlot *slots)
{
        Config *config = generation->config;

        for (size_t i = 0; i < config->n_materials; i++) {
                Material **material = &generation->materials[i];

                if (!*material)
                        *material = TAKE(*generation_find_material(old, &config->materials[i]));
                material_configure(*material, &config->materials[i]);
                generation->material_statuses[i] = material_status(*material);
        }
        for (size_t i = 0; i < config->n_clusters; i++)
                if (!generation->clusters[i]) {
                        Cluster **slot = generation_find(old, slots, i, config->clusters[i].name);

                        generation->clusters[i] = TAKE(*slot);
                }
        /* Last, because it frees the names of clusters that were gone. */
        for (size_t i = 0; i < config->n_clusters; i++) {
                Cluster *cluster = generation->clusters[i];

                cluster_configure(cluster, config, &config->clusters[i]);
                cluster_reset_back_off(cluster);
                generation->cluster_statuses[i] = cluster_status(cluster);
        }
}

void generation_keep_gone(Generation *generation, Generation *old)
{
        for (size_t i = 0; i < old->n_clusters; i++)
                if (old->clusters[i]) {
                        cluster_end_check(old->clusters[i]);
                        generation->clusters[generation->n_clusters++] = TAKE(old->clusters[i]);
                }
}
