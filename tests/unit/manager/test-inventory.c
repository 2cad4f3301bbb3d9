#include "tests/unit/manager/inventory-fixture.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>

static void test_before_the_first_configuration_the_inventory_is_empty(void **state)
{
        InventoryHandlers handlers = {0};
        Inventory *empty = NULL;
        ManagerStatus status;

        assert_int_equal(inventory_new(&empty, NULL, &handlers), 0);
        status = inventory_status(empty, 5);
        assert_int_equal(status.n_materials + status.n_clusters, 0);
        assert_int_equal(status.now_usec, 5);
        assert_int_equal(inventory_counts(empty)->n_importing, 0);
        inventory_flush(empty);
        assert_false(inventory_flush_one(empty));
        inventory_free(empty);
}

static void test_the_status_is_in_the_order_of_the_configuration(void **state)
{
        ManagerStatus status = inventory_status(fixture.inventory, 5);

        assert_int_equal(status.n_materials, 1);
        assert_int_equal(status.n_clusters, 2);
        assert_ptr_equal(status.clusters[0], &fixture_cluster(0)->status);
        assert_ptr_equal(status.clusters[1], &fixture_cluster(1)->status);
        assert_ptr_equal(status.materials[0], &inventory_material_of(fixture.inventory, 1)->status);
        assert_string_equal(fixture_cluster(1)->name, "users");
}

static void test_the_same_configuration_keeps_every_object(void **state)
{
        Cluster *orders = fixture_cluster(0);
        Material *material = inventory_material_of(fixture.inventory, 0);

        assert_int_equal(fixture_apply("default", "orders users"), 0);
        assert_ptr_equal(fixture_cluster(0), orders);
        assert_ptr_equal(inventory_material_of(fixture.inventory, 0), material);
        assert_string_equal(fixture.removed, "");
        assert_int_equal(orders->n_retries, 2); /* a reload resets the back-off */
}

static void test_an_object_that_is_kept_has_the_texts_of_the_new_configuration(void **state)
{
        const char *text;

        assert_int_equal(fixture_apply("default", "orders users"), 0);
        text = inventory_config(fixture.inventory)->texts[0];
        assert_ptr_equal(fixture_cluster(0)->config->login.host, text);
        assert_ptr_equal(fixture_cluster(0)->daemon, inventory_config(fixture.inventory));
        assert_ptr_equal(inventory_material_of(fixture.inventory, 0)->config.directory, text);
}

static void test_another_order_moves_the_objects(void **state)
{
        Cluster *orders = fixture_cluster(0);

        assert_int_equal(fixture_apply("default", "users orders"), 0);
        assert_ptr_equal(fixture_cluster(1), orders);
        assert_ptr_equal(inventory_status(fixture.inventory, 0).clusters[1], &orders->status);
        assert_string_equal(fixture.removed, "");
}

static void test_a_cluster_with_other_settings_is_kept_and_configured(void **state)
{
        Config *config = fixture_config("default", "orders users");
        Cluster *orders = fixture_cluster(0);

        config->clusters[0].login.port = 3307;
        assert_int_equal(inventory_apply(fixture.inventory, config), 0);
        assert_ptr_equal(fixture_cluster(0), orders);
        assert_int_equal(orders->config->login.port, 3307);
}

static void test_a_material_with_other_settings_is_made_anew(void **state)
{
        Config *config = fixture_config("default", "orders users");
        Material *material = inventory_material_of(fixture.inventory, 0);

        config->materials[0].settle_usec = 1;
        assert_int_equal(inventory_apply(fixture.inventory, config), 0);
        assert_ptr_not_equal(inventory_material_of(fixture.inventory, 0), material);
        assert_int_equal(fixture.n_materials, 1);
        assert_string_equal(fixture.removed, "default ");
}

static void test_a_new_cluster_is_made_with_its_record(void **state)
{
        assert_int_equal(fixture_apply("default", "orders users logs"), 0);
        assert_int_equal(fixture.n_clusters, 3);
        assert_int_equal(fixture.n_unreadable, 0);
        assert_string_equal(fixture_cluster(2)->name, "logs");
}

static void test_a_cluster_without_a_record_is_new(void **state)
{
        fixture.record_error = -ENOENT;
        assert_int_equal(fixture_apply("default", "orders users logs"), 0);
        assert_int_equal(fixture.n_unreadable, 0);
}

static void test_an_unreadable_record_is_reported_and_the_cluster_is_new(void **state)
{
        fixture.record_error = -EBADMSG;
        assert_int_equal(fixture_apply("default", "orders users logs"), 0);
        assert_int_equal(fixture.n_unreadable, 1);
        assert_int_equal(fixture.n_clusters, 3);
}

static void test_a_removed_cluster_is_flushed_and_freed(void **state)
{
        assert_int_equal(fixture_apply("default", "users"), 0);
        assert_string_equal(fixture.removed, "orders ");
        assert_false(inventory_free_gone(fixture.inventory));
        assert_int_equal(fixture.n_clusters, 1);
}

#define MANY 700

static void test_many_removed_clusters_are_freed_in_pieces(void **state)
{
        char names[MANY * 8] = "";
        size_t index, used = 0;
        Cluster *last;
        unsigned n = 0;

        for (unsigned i = 0; i < MANY; i++)
                used += (size_t)snprintf(names + used, sizeof(names) - used, "c%u ", i);
        assert_int_equal(fixture_apply("default", names), 0);
        (void)inventory_free_gone(fixture.inventory);
        last = fixture_cluster(MANY - 1);
        assert_int_equal(fixture_apply("default", "orders"), 0);
        assert_int_equal(inventory_status(fixture.inventory, 0).n_clusters, 1);
        assert_true(inventory_free_gone(fixture.inventory));
        assert_in_range(fixture.n_clusters, 2, MANY);
        snprintf(names, sizeof(names), "orders c%u", MANY - 1);
        assert_int_equal(fixture_apply("default", names), 0); /* it was not freed yet */
        assert_ptr_equal(fixture_cluster(1), last);
        assert_true(inventory_find(fixture.inventory, last, &index));
        while (inventory_free_gone(fixture.inventory))
                n++;
        assert_in_range(n, 1, MANY / 2);
        assert_int_equal(fixture.n_clusters, 2);
}

static void test_a_removed_cluster_that_imports_is_freed_after_the_import(void **state)
{
        Cluster *orders = fixture_cluster(0);

        fixture_set_importing(orders, true);
        assert_int_equal(fixture_apply("default", "users"), 0);
        assert_string_equal(fixture.removed, "orders ");
        assert_int_equal(inventory_status(fixture.inventory, 0).n_clusters, 1);
        assert_int_equal(fixture_count_importing(), 1);
        inventory_free_gone(fixture.inventory);
        assert_int_equal(fixture.n_clusters, 2);
        assert_int_equal(fixture.n_materials, 1);
        assert_string_equal(orders->config->login.host, "text");
        inventory_flush(fixture.inventory);
        assert_int_equal(orders->n_flushes, 2);
        fixture_set_importing(orders, false);
        inventory_free_gone(fixture.inventory);
        assert_int_equal(fixture.n_clusters, 1);
}

static void test_a_removed_cluster_ends_its_check(void **state)
{
        fixture_set_checking(fixture_cluster(0));
        assert_int_equal(inventory_counts(fixture.inventory)->n_checking, 1);
        assert_int_equal(fixture_apply("default", "users"), 0);
        assert_int_equal(inventory_counts(fixture.inventory)->n_checking, 0);
        assert_false(inventory_free_gone(fixture.inventory));
        assert_int_equal(fixture.n_clusters, 1);
}

static void test_a_gone_cluster_comes_back_as_the_same_one(void **state)
{
        Cluster *gone = fixture_cluster(0);
        Config *config = fixture_config("other", "users orders");
        size_t index;

        fixture_set_importing(gone, true);
        assert_int_equal(fixture_apply("default", "users"), 0);
        assert_int_equal(fixture_apply("default", "users logs"), 0);
        (void)inventory_free_gone(fixture.inventory);
        assert_false(inventory_find(fixture.inventory, gone, &index));
        assert_string_equal(fixture.removed, "orders ");
        config->clusters[1].login.port = 3307;
        assert_int_equal(inventory_apply(fixture.inventory, config), 0);
        assert_true(inventory_find(fixture.inventory, gone, &index));
        assert_int_equal(index, 1);
        assert_ptr_equal(fixture_cluster(1), gone);
        assert_int_equal(gone->config->login.port, 3307);
        assert_ptr_equal(gone->config->login.host, config->texts[0]);
        (void)inventory_free_gone(fixture.inventory);
        assert_int_equal(fixture.n_clusters, 2);
        assert_int_equal(fixture_count_importing(), 1);
        fixture_set_importing(gone, false);
        inventory_free_gone(fixture.inventory);
        assert_ptr_equal(fixture_cluster(1), gone);
}

static void test_a_gone_cluster_comes_back_although_its_import_has_just_ended(void **state)
{
        Cluster *gone = fixture_cluster(0);

        fixture_set_importing(gone, true);
        assert_int_equal(fixture_apply("default", "users"), 0);
        fixture_set_importing(gone, false);
        assert_int_equal(fixture_apply("default", "orders users"), 0);
        assert_ptr_equal(fixture_cluster(0), gone);
        assert_int_equal(fixture.n_clusters, 2);
}

static void test_a_gone_cluster_stays_gone_if_the_reload_fails(void **state)
{
        Cluster *gone = fixture_cluster(0);
        size_t index;

        fixture_set_importing(gone, true);
        assert_int_equal(fixture_apply("default", "users"), 0);
        fixture.cluster_error = -ENOMEM;
        assert_int_equal(fixture_apply("default", "orders users logs"), -ENOMEM);
        assert_int_equal(fixture_count_importing(), 1);
        assert_int_equal(fixture.n_clusters, 2);
        assert_false(inventory_find(fixture.inventory, gone, &index));
        assert_int_equal(gone->n_retries, 1);
}

static void test_a_server_is_busy_while_a_removed_cluster_imports_into_it(void **state)
{
        Cluster *orders = fixture_cluster(0);

        fixture_set_importing(orders, true);
        assert_false(inventory_is_server_busy(fixture.inventory, 1));
        assert_int_equal(fixture_apply("default", "users"), 0);
        assert_true(inventory_is_server_busy(fixture.inventory, 0));
        orders->importing_port = 3307;
        assert_false(inventory_is_server_busy(fixture.inventory, 0));
}

static void test_a_server_is_busy_while_a_cluster_that_has_another_now_imports_into_it(void **state)
{
        Config *config = fixture_config("default", "orders users");

        fixture_set_importing(fixture_cluster(0), true);
        config->clusters[0].login.port = 3307;
        assert_int_equal(inventory_apply(fixture.inventory, config), 0);
        assert_true(inventory_is_server_busy(fixture.inventory, 1));
        assert_false(inventory_is_server_busy(fixture.inventory, 0));
        fixture_set_importing(fixture_cluster(0), false);
        assert_false(inventory_is_server_busy(fixture.inventory, 1));
}

static void test_the_latest_deadline_is_that_of_any_import(void **state)
{
        Cluster *orders = fixture_cluster(0);

        assert_int_equal(inventory_import_deadline_usec(fixture.inventory), 0);
        fixture_set_importing(orders, true);
        orders->status.deadline_usec = 7;
        fixture_cluster(1)->status.deadline_usec = 5;
        assert_int_equal(inventory_import_deadline_usec(fixture.inventory), 7);
        assert_int_equal(fixture_apply("default", "users"), 0);
        assert_int_equal(inventory_import_deadline_usec(fixture.inventory), 7);
        orders->status.deadline_usec = 3;
        assert_int_equal(inventory_import_deadline_usec(fixture.inventory), 5);
}

static void test_every_import_is_aborted_and_every_check_ended(void **state)
{
        Cluster *orders = fixture_cluster(0);

        fixture_set_importing(orders, true);
        fixture_set_importing(fixture_cluster(1), true);
        assert_int_equal(fixture_apply("default", "users"), 0);
        fixture_set_checking(fixture_cluster(0));
        inventory_end_checks(fixture.inventory);
        assert_int_equal(inventory_counts(fixture.inventory)->n_checking, 0);
        assert_int_equal(fixture_count_importing(), 2);
        inventory_abort_imports(fixture.inventory);
        assert_int_equal(fixture_count_importing(), 0);
        inventory_flush(fixture.inventory);
        assert_int_equal(orders->n_flushes, 2);
}

static void test_a_rollout_of_a_daemon_before_puts_other_sets_in_doubt(void **state)
{
        fixture_start_again(A, "");
        assert_int_equal(fixture.n_saved, 0);
        fixture_start_again("?", "");
        assert_int_equal(fixture.n_saved, 2);
}

static void test_a_rollout_of_the_canary_alone_puts_only_it_in_doubt(void **state)
{
        fixture_start_again("?", "users");
        assert_int_equal(fixture.n_saved, 1);
}

static void test_a_reload_puts_nothing_in_doubt(void **state)
{
        unsigned n_loads = fixture.rollouts.n_loads;

        strcpy(fixture.rollout.fingerprint, "?");
        assert_int_equal(fixture_apply("default", "orders users logs"), 0);
        assert_int_equal(fixture.rollouts.n_loads, n_loads);
        assert_int_equal(fixture.n_saved, 0);
}

static void test_a_rollout_ends_when_every_record_is_written(void **state)
{
        inventory_begin_rollout(fixture.inventory, 1, A, true);
        assert_string_equal(fixture.begun_for, "users");
        inventory_begin_rollout(fixture.inventory, 1, A, false);
        assert_string_equal(fixture.begun_for, "");
        assert_int_equal(fixture.rollouts.n_begun, 2);
        fixture_cluster(1)->status.record_error = ENOSPC;
        inventory_end_rollouts(fixture.inventory);
        assert_int_equal(fixture.rollouts.n_ended, 0);
        fixture_cluster(1)->status.record_error = 0;
        inventory_end_rollouts(fixture.inventory);
        assert_int_equal(fixture.rollouts.n_ended, 1);
}

static void expect_unchanged(const Config *config, const Cluster *orders)
{
        assert_ptr_equal(inventory_config(fixture.inventory), config);
        assert_ptr_equal(fixture_cluster(0), orders);
        assert_int_equal(inventory_status(fixture.inventory, 0).n_clusters, 2);
        assert_int_equal(fixture.n_clusters, 2);
        assert_int_equal(fixture.n_materials, 1);
        assert_int_equal(orders->n_retries, 1);
        assert_string_equal(fixture.removed, "");
}

static void test_a_cluster_that_cannot_be_made_leaves_everything_as_it_was(void **state)
{
        const Config *config = inventory_config(fixture.inventory);
        const Cluster *orders = fixture_cluster(0);

        fixture.cluster_error = -ENOMEM;
        assert_int_equal(fixture_apply("default", "orders logs"), -ENOMEM);
        expect_unchanged(config, orders);
}

static void test_a_material_that_cannot_be_made_leaves_everything_as_it_was(void **state)
{
        const Config *config = inventory_config(fixture.inventory);
        const Cluster *orders = fixture_cluster(0);

        fixture.material_error = -EMFILE;
        assert_int_equal(fixture_apply("other", "orders logs"), -EMFILE);
        expect_unchanged(config, orders);
}

static void test_a_configuration_is_prepared_in_pieces_and_adopted_at_once(void **state)
{
        const Config *config = inventory_config(fixture.inventory);
        Cluster *orders = fixture_cluster(0);
        Config *next = fixture_config("other", "a b orders c d e");
        size_t index;

        assert_int_equal(inventory_prepare(fixture.inventory, next), 0);
        assert_int_equal(inventory_prepare_some(fixture.inventory, 2), 1);
        assert_int_equal(fixture.n_clusters, 4);
        fixture.made->status.inspected = true;
        fixture.made->fn(fixture.made, fixture.made->userdata);
        assert_int_equal(fixture.n_reports, 0); /* it is not in force */
        fixture_set_importing(orders, true);
        assert_ptr_equal(inventory_config(fixture.inventory), config);
        assert_int_equal(inventory_status(fixture.inventory, 0).n_clusters, 2);
        assert_true(inventory_find(fixture.inventory, orders, &index));
        assert_int_equal(index, 0);
        fixture_set_importing(orders, false);
        assert_int_equal(inventory_prepare_some(fixture.inventory, 2), 1);
        assert_int_equal(inventory_prepare_some(fixture.inventory, 2), 0);
        assert_string_equal(fixture.removed, "");
        inventory_adopt(fixture.inventory);
        assert_ptr_equal(inventory_config(fixture.inventory), next);
        assert_ptr_equal(fixture_cluster(2), orders);
        assert_string_equal(fixture.removed, "users default ");
        assert_int_equal(fixture.n_reports, 1); /* what it had to report before */
        assert_false(inventory_free_gone(fixture.inventory));
        assert_int_equal(fixture.n_clusters, 6);
}

static void test_what_is_prepared_is_forgotten_for_another_configuration(void **state)
{
        const Config *config = inventory_config(fixture.inventory);
        Cluster *orders = fixture_cluster(0);

        assert_int_equal(
                inventory_prepare(fixture.inventory, fixture_config("other", "orders a b")), 0);
        assert_int_equal(inventory_prepare_some(fixture.inventory, 1), 1);
        assert_int_equal(
                inventory_prepare(fixture.inventory, fixture_config("third", "orders c d")), 0);
        assert_int_equal(fixture.n_clusters, 2);
        assert_int_equal(fixture.n_materials, 2);
        assert_int_equal(inventory_prepare_some(fixture.inventory, 1), 1);
        inventory_cancel(fixture.inventory);
        expect_unchanged(config, orders);
        assert_int_equal(fixture.n_clusters, 2);
        assert_int_equal(fixture.n_materials, 1);
        inventory_cancel(fixture.inventory); /* nothing is prepared */
}

static void test_a_cluster_that_cannot_be_made_ends_the_preparation(void **state)
{
        const Config *config = inventory_config(fixture.inventory);
        Cluster *orders = fixture_cluster(0);

        assert_int_equal(
                inventory_prepare(fixture.inventory, fixture_config("other", "orders a b")), 0);
        assert_int_equal(inventory_prepare_some(fixture.inventory, 1), 1);
        fixture.cluster_error = -ENOMEM;
        assert_int_equal(inventory_prepare_some(fixture.inventory, 1), -ENOMEM);
        expect_unchanged(config, orders);
        assert_int_equal(fixture.n_clusters, 2);
        assert_int_equal(fixture.n_materials, 1);
}

static void test_a_gone_cluster_is_not_freed_while_its_name_is_prepared(void **state)
{
        Cluster *users = fixture_cluster(1);

        assert_int_equal(fixture_apply("default", "orders"), 0);
        assert_int_equal(
                inventory_prepare(fixture.inventory, fixture_config("default", "users")), 0);
        assert_false(inventory_free_gone(fixture.inventory));
        assert_int_equal(fixture.n_clusters, 2);
        assert_int_equal(inventory_prepare_some(fixture.inventory, 1), 0);
        inventory_adopt(fixture.inventory);
        assert_ptr_equal(fixture_cluster(0), users);
}

static void test_the_set_on_disk_is_adopted_by_the_clusters_of_its_material(void **state)
{
        SealedSet set = {.n_owners = 1, .info.fingerprint = A, .payload_fd = -1};
        Config *config = fixture_config("default other", "orders users");

        config->clusters[1].material = 1;
        assert_int_equal(inventory_apply(fixture.inventory, config), 0);
        inventory_adopt_set(fixture.inventory, inventory_material_of(fixture.inventory, 1));
        fixture.made->set = &set;
        inventory_adopt_set(fixture.inventory, inventory_material_of(fixture.inventory, 1));
        assert_string_equal(fixture_cluster(0)->adopted, "");
        assert_string_equal(fixture_cluster(1)->adopted, A);
}

static void test_one_pending_record_is_written_at_a_time(void **state)
{
        fixture_set_pending(fixture_cluster(0));
        fixture_set_pending(fixture_cluster(1));
        assert_true(inventory_flush_one(fixture.inventory));
        assert_false(fixture_cluster(0)->pending);
        assert_true(fixture_cluster(1)->pending);
        assert_true(inventory_flush_one(fixture.inventory));
        assert_false(inventory_flush_one(fixture.inventory));
}

static void test_a_warning_is_new_when_no_cluster_of_the_material_has_it(void **state)
{
        assert_true(inventory_set_warned(fixture.inventory, "default", A, 7));
        assert_true(fixture_cluster(0)->warned);
        assert_true(fixture_cluster(1)->warned);
        assert_false(inventory_set_warned(fixture.inventory, "default", A, 7));
}

static void test_a_warning_that_one_cluster_has_is_brought_to_the_others(void **state)
{
        fixture_cluster(1)->warned = true;
        assert_false(inventory_set_warned(fixture.inventory, "default", A, 7));
        assert_true(fixture_cluster(0)->warned);
}

static void test_a_warning_is_kept_by_the_clusters_of_its_material_only(void **state)
{
        assert_true(inventory_set_warned(fixture.inventory, "other", A, 7));
        assert_false(fixture_cluster(0)->warned);
}

#define inventory_test(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_done)

int main(void)
{
        const struct CMUnitTest tests[] = {
                inventory_test(test_before_the_first_configuration_the_inventory_is_empty),
                inventory_test(test_the_status_is_in_the_order_of_the_configuration),
                inventory_test(test_the_same_configuration_keeps_every_object),
                inventory_test(test_an_object_that_is_kept_has_the_texts_of_the_new_configuration),
                inventory_test(test_another_order_moves_the_objects),
                inventory_test(test_a_cluster_with_other_settings_is_kept_and_configured),
                inventory_test(test_a_material_with_other_settings_is_made_anew),
                inventory_test(test_a_new_cluster_is_made_with_its_record),
                inventory_test(test_a_cluster_without_a_record_is_new),
                inventory_test(test_an_unreadable_record_is_reported_and_the_cluster_is_new),
                inventory_test(test_a_removed_cluster_is_flushed_and_freed),
                inventory_test(test_many_removed_clusters_are_freed_in_pieces),
                inventory_test(test_a_removed_cluster_that_imports_is_freed_after_the_import),
                inventory_test(test_a_removed_cluster_ends_its_check),
                inventory_test(test_a_gone_cluster_comes_back_as_the_same_one),
                inventory_test(test_a_gone_cluster_comes_back_although_its_import_has_just_ended),
                inventory_test(test_a_gone_cluster_stays_gone_if_the_reload_fails),
                inventory_test(test_a_server_is_busy_while_a_removed_cluster_imports_into_it),
                inventory_test(
                        test_a_server_is_busy_while_a_cluster_that_has_another_now_imports_into_it),
                inventory_test(test_the_latest_deadline_is_that_of_any_import),
                inventory_test(test_every_import_is_aborted_and_every_check_ended),
                inventory_test(test_a_rollout_of_a_daemon_before_puts_other_sets_in_doubt),
                inventory_test(test_a_rollout_of_the_canary_alone_puts_only_it_in_doubt),
                inventory_test(test_a_reload_puts_nothing_in_doubt),
                inventory_test(test_a_rollout_ends_when_every_record_is_written),
                inventory_test(test_a_cluster_that_cannot_be_made_leaves_everything_as_it_was),
                inventory_test(test_a_material_that_cannot_be_made_leaves_everything_as_it_was),
                inventory_test(test_a_configuration_is_prepared_in_pieces_and_adopted_at_once),
                inventory_test(test_what_is_prepared_is_forgotten_for_another_configuration),
                inventory_test(test_a_cluster_that_cannot_be_made_ends_the_preparation),
                inventory_test(test_a_gone_cluster_is_not_freed_while_its_name_is_prepared),
                inventory_test(test_the_set_on_disk_is_adopted_by_the_clusters_of_its_material),
                inventory_test(test_one_pending_record_is_written_at_a_time),
                inventory_test(test_a_warning_is_new_when_no_cluster_of_the_material_has_it),
                inventory_test(test_a_warning_that_one_cluster_has_is_brought_to_the_others),
                inventory_test(test_a_warning_is_kept_by_the_clusters_of_its_material_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
