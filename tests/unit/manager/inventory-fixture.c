#include "tests/unit/manager/inventory-fixture.h"

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

InventoryFixture fixture;

int material_new(Material **ret, sd_event *event, const MaterialConfig *config,
        material_changed_fn fn, void *userdata)
{
        assert_non_null(fn);
        assert_ptr_equal(userdata, fixture.inventory);
        if (fixture.material_error < 0)
                return fixture.material_error;
        *ret = calloc(1, sizeof(Material));
        assert_non_null(*ret);
        text_set((*ret)->name, CONFIG_NAME_MAX, config->name);
        (*ret)->fn = fn;
        (*ret)->userdata = userdata;
        fixture.made = *ret;
        fixture.n_materials++;
        return 0;
}

SealedSet *material_set(const Material *material)
{
        return material->set;
}

void material_configure(Material *material, const MaterialConfig *config)
{
        material->config = *config;
}

Material *material_free(Material *material)
{
        fixture.n_materials -= material != NULL;
        free(material);
        return NULL;
}

const MaterialStatus *material_status(const Material *material)
{
        return &material->status;
}

int cluster_new(Cluster **ret, ClusterOwner *owner, Config *daemon, const ClusterConfig *config,
        Record *record)
{
        assert_non_null(owner->changed);
        assert_ptr_equal(owner->userdata, &fixture);
        assert_string_equal(record->imported.fingerprint,
                fixture.record_error < 0 || fixture.n_saved > 0 ? "" : A);
        if (fixture.cluster_error < 0)
                return fixture.cluster_error;
        *ret = calloc(1, sizeof(Cluster));
        assert_non_null(*ret);
        text_set((*ret)->name, CONFIG_NAME_MAX, config->name);
        (*ret)->daemon = config_ref(daemon);
        (*ret)->config = (*ret)->status.config = config;
        (*ret)->counts = &owner->counts;
        fixture.n_clusters++;
        return 0;
}

void fixture_set_importing(Cluster *cluster, bool importing)
{
        cluster->counts->n_importing += (unsigned)importing - (unsigned)cluster->importing;
        cluster->importing = importing;
}

void fixture_set_checking(Cluster *cluster)
{
        cluster->counts->n_checking++;
        cluster->checking = true;
}

void fixture_set_pending(Cluster *cluster)
{
        cluster->counts->n_unwritten++;
        cluster->pending = true;
}

unsigned fixture_count_importing(void)
{
        return inventory_counts(fixture.inventory)->n_importing;
}

Cluster *cluster_free(Cluster *cluster)
{
        if (!cluster)
                return NULL;
        fixture_set_importing(cluster, false);
        cluster_end_check(cluster);
        config_unref(cluster->daemon);
        fixture.n_clusters--;
        free(cluster);
        return NULL;
}

void cluster_configure(Cluster *cluster, Config *daemon, const ClusterConfig *config)
{
        config_ref(daemon);
        config_unref(cluster->daemon);
        cluster->daemon = daemon;
        cluster->config = cluster->status.config = config;
}

const ClusterStatus *cluster_status(const Cluster *cluster)
{
        return &cluster->status;
}

void cluster_adopt_set(Cluster *cluster, const SetInfo *set)
{
        text_set(cluster->adopted, sizeof(cluster->adopted), set->fingerprint);
}

bool cluster_is_importing(const Cluster *cluster)
{
        return cluster->importing;
}

bool cluster_is_importing_into(const Cluster *cluster, const char *host, unsigned port)
{
        return cluster->importing && port == cluster->importing_port;
}

bool cluster_is_checking(const Cluster *cluster)
{
        return cluster->checking;
}

void cluster_end_check(Cluster *cluster)
{
        cluster->counts->n_checking -= cluster->checking;
        cluster->checking = false;
}

void cluster_abort_import(Cluster *cluster)
{
        fixture_set_importing(cluster, false);
}

void cluster_reset_back_off(Cluster *cluster)
{
        cluster->n_retries++;
}

void cluster_flush(Cluster *cluster)
{
        cluster->n_flushes++;
}

bool cluster_flush_pending(Cluster *cluster)
{
        bool pending = cluster->pending;

        cluster->counts->n_unwritten -= pending;
        cluster->pending = false;
        return pending;
}

bool cluster_was_warned(const Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        assert_string_equal(fingerprint, A);
        assert_int_equal(within_usec, 7);
        return cluster->warned;
}

void cluster_set_warned(Cluster *cluster, const char *fingerprint, uint64_t within_usec)
{
        assert_string_equal(fingerprint, A);
        assert_int_equal(within_usec, 7);
        cluster->warned = true;
}

int record_load(Record *ret, const char *cluster)
{
        *ret = RECORD_NULL;
        if (fixture.record_error < 0)
                return fixture.record_error;
        text_set(ret->imported.fingerprint, REPORT_FINGERPRINT_MAX, A);
        return 0;
}

int record_save(const char *cluster, const Record *record)
{
        assert_string_equal(record->imported.fingerprint, "");
        fixture.n_saved++;
        return 0;
}

int rollout_table_new(RolloutTable **ret)
{
        *ret = &fixture.rollouts;
        return 0;
}

RolloutTable *rollout_table_free(RolloutTable *table)
{
        return NULL;
}

const Rollout *rollout_table_load(RolloutTable *table, const char *material)
{
        assert_string_equal(material, "default");
        table->n_loads++;
        return &fixture.rollout;
}

void rollout_table_begin(
        RolloutTable *table, const char *material, const char *fingerprint, const char *cluster)
{
        assert_string_equal(material, "default");
        assert_string_equal(fingerprint, A);
        text_set(fixture.begun_for, sizeof(fixture.begun_for), cluster);
        table->n_begun++;
}

void rollout_table_end(RolloutTable *table)
{
        table->n_ended++;
}

static void on_material(Material *material, void *userdata)
{
        fixture.n_reports++;
}

static void on_cluster(Cluster *cluster, ClusterEvent event, const Outcome *outcome, void *userdata)
{
}

static void append_removed(const char *name)
{
        strcat(fixture.removed, name);
        strcat(fixture.removed, " ");
}

static void on_material_removed(const MaterialStatus *status, void *userdata)
{
        const Material *material =
                (const void *)((const char *)status - offsetof(Material, status));

        assert_ptr_equal(userdata, &fixture);
        append_removed(material->name);
}

static void on_cluster_removed(const ClusterStatus *status, void *userdata)
{
        const Cluster *cluster = (const void *)((const char *)status - offsetof(Cluster, status));

        assert_ptr_equal(userdata, &fixture);
        assert_int_equal(cluster->n_flushes, 1);
        append_removed(cluster->name);
}

static void on_record_unreadable(const char *cluster, int error, void *userdata)
{
        assert_int_equal(error, fixture.record_error);
        assert_ptr_equal(userdata, &fixture);
        fixture.n_unreadable++;
}

Config *fixture_config(const char *materials, const char *clusters)
{
        Config *config = calloc(1, sizeof(*config));
        char name[CONFIG_NAME_MAX];
        int length;

        assert_non_null(config);
        config->materials = calloc(4, sizeof(MaterialConfig));
        config->clusters = calloc(CONFIG_CLUSTERS_MAX, sizeof(ClusterConfig));
        config->texts = calloc(1, sizeof(char *));
        assert_true(config->materials && config->clusters && config->texts);
        config->texts[config->n_texts++] = strdup("text");
        for (; sscanf(materials, " %40s%n", name, &length) == 1; materials += length) {
                MaterialConfig *material = &config->materials[config->n_materials++];

                text_set(material->name, CONFIG_NAME_MAX, name);
                material->directory = config->texts[0];
        }
        for (; sscanf(clusters, " %40s%n", name, &length) == 1; clusters += length) {
                ClusterConfig *cluster = &config->clusters[config->n_clusters++];

                text_set(cluster->name, CONFIG_NAME_MAX, name);
                text_set(cluster->material_name, CONFIG_NAME_MAX, config->materials[0].name);
                cluster->login.host = config->texts[0];
        }
        return config;
}

static Inventory *make_inventory(void)
{
        InventoryHandlers handlers = {
                .material_changed = on_material,
                .cluster_changed = on_cluster,
                .material_removed = on_material_removed,
                .cluster_removed = on_cluster_removed,
                .record_unreadable = on_record_unreadable,
                .userdata = &fixture,
        };
        Inventory *inventory = NULL;

        assert_int_equal(inventory_new(&inventory, NULL, &handlers), 0);
        return inventory;
}

int fixture_make(void **state)
{
        fixture = (InventoryFixture){0};
        fixture.inventory = make_inventory();
        return inventory_apply(fixture.inventory, fixture_config("default", "orders users"));
}

void fixture_start_again(const char *fingerprint, const char *cluster)
{
        fixture.inventory = inventory_free(fixture.inventory);
        text_set(fixture.rollout.fingerprint, REPORT_FINGERPRINT_MAX, fingerprint);
        text_set(fixture.rollout.cluster, CONFIG_NAME_MAX, cluster);
        fixture.inventory = make_inventory();
        assert_int_equal(fixture_apply("default", "orders users"), 0);
}

int fixture_done(void **state)
{
        fixture.inventory = inventory_free(fixture.inventory);
        return fixture.n_materials + fixture.n_clusters > 0 ? -1 : 0;
}

int fixture_apply(const char *materials, const char *clusters)
{
        return inventory_apply(fixture.inventory, fixture_config(materials, clusters));
}

Cluster *fixture_cluster(size_t index)
{
        return inventory_cluster(fixture.inventory, index);
}
