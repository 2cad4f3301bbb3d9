#pragma once

/*
 * Table: materials and clusters as a person reads them: what is on disk, what is imported, what is
 * in use; for what is not current why, and what to do; within the page's columns.
 */

#include "ctl/page.h"
#include "ctl/view.h"

/* `names` are the clusters to show, all when there are none; of the materials then those that they
 * use. */
void table_print(const Page *page, const View *view, char *const *names, int n_names);

/* Only what is not current, each with why and next: what a command says when it gives up. */
void table_print_trouble(const Page *page, const View *view, char *const *names, int n_names);

/* One of `names`, or there are none. */
bool table_shows(const char *name, char *const *names, int n_names);
